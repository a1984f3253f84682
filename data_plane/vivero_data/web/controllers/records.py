"""Records: one page of a collection's table, and one record's form."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER
from vivero_web.bodies import read_form
from vivero_web.errors import ConflictError, InvalidInputError, WebError
from vivero_web.text import tidy, whole_number

from vivero_data.domain.collections.schemas import CONTENT_BYTES, Collection
from vivero_data.domain.jobs.service import JobService
from vivero_data.domain.records.errors import FieldConflictError, RecordNotFoundError
from vivero_data.domain.records.export import Export
from vivero_data.domain.records.filters import Filter
from vivero_data.domain.records.schemas import Record, RecordChanges, RecordQuery
from vivero_data.domain.records.service import RecordService
from vivero_data.domain.users.schemas import Permission
from vivero_data.lib.notation import UNSET, Notation
from vivero_data.lib.pages import MAX_LIMIT, Page
from vivero_data.web.forms import FORM_ERRORS, field_errors
from vivero_data.web.inputs import (
    changed_fields,
    filled_fields,
    input_hash,
    record_values,
    shown_defaults,
    shown_values,
    typed_values,
)
from vivero_data.web.listing import (
    MAX_FILTERS,
    Address,
    address,
    chosen_columns,
    collection_href,
    columns_cookie,
    page_links,
    parse_filters,
)
from vivero_data.web.operators import OPERATORS, describe_filter, filter_value, lead_field
from vivero_data.web.page import Visit, done, require, show
from vivero_data.web.render import Html

_KNOWN: Final = ("sort", "filter", "cursor", "back")
_CONDITION: Final = ("field", "operator", "value")
_DELETED: Final = (
    "Someone deleted this record while you were editing. What you typed is still here; you can create it as a new one."
)


@get("/collections/{name:str}")
async def record_list(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    records: NamedDependency[RecordService],
) -> Response[Any]:
    # A form sends the page's query as one value: browsers normalize line breaks in form values.
    before = parse_qsl(request.query_params.get("view", ""))
    here = address(collection_href(collection.name), [*before, *request.query_params.multi_items()], *_KNOWN)
    problem = ""
    try:
        wanted = new_filter(collection, request.query_params, visit.notation)
    except InvalidInputError as error:
        wanted, problem = None, error.errors[0].message
    if wanted:
        target = here.drop("cursor", "back").add("filter", str(wanted))
        return Redirect(str(target), status_code=HTTP_303_SEE_OTHER)
    filters = parse_filters(here.all("filter"))
    query = RecordQuery(
        cursor=here.get("cursor") or None, sort=here.get("sort"), filters=tuple(str(item) for item in filters)
    )
    try:
        page = await records.list(visit.actor, collection.name, query)
    except InvalidInputError as error:
        # An invalid sort, filter or cursor in the URL: show the table with the error.
        page, problem = Page(items=[]), error.errors[0].message if error.errors else error.detail
    context = {
        "collection": collection,
        "columns": chosen_columns(collection, request.cookies),
        "page": page,
        "here": here,
        "filters": [(item, describe_filter(collection, item)) for item in filters],
        "operators": OPERATORS,
        "full": len(filters) >= MAX_FILTERS,
        "lead": lead_field(collection),
        "page_links": page_links(here, page.next_cursor),
        "problem": problem,
        "typed": {name: request.query_params.get(name, "") if problem else "" for name in _CONDITION},
    }
    return show(visit, "records/list.html.j2", context, status=422 if problem else 200)


@get("/collections/{name:str}/rows")
async def record_rows(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    records: NamedDependency[RecordService],
) -> Html:
    """Rows of the table as they are now, with the columns that it has: what the grid asks for after a change."""
    asked = request.query_params
    shown = _numbers(asked.get("fields", ""))
    columns = [field for field in collection.fields if field.id in shown] or list(collection.fields)
    ids = _numbers(asked.get("ids", ""))[:MAX_LIMIT]
    found = await records.some(visit.actor, collection.name, ids) if ids else []
    context = {"collection": collection, "columns": columns, "records": found, "view": asked.get("view", "")}
    return show(visit, "records/rows.html.j2", context)


def _numbers(text: str) -> list[int]:
    """Numbers with dots between them; what is none is left out."""
    found = [whole_number(part) for part in text.split(".")]
    return list(dict.fromkeys(number for number in found if number))


def new_filter(collection: Collection, params: Mapping[str, str], notation: Notation = UNSET) -> Filter | None:
    """The condition that the filter form or the search field adds to the URL; None if none.

    Raises:
        InvalidInputError: the number is ambiguous.
    """
    searched = params.get("q", "").strip()
    lead = lead_field(collection)
    if searched and lead:
        return Filter(lead.name, "contains", searched)
    operator = params.get("operator", "")
    field = next((one for one in collection.fields if one.name == tidy(params.get("field", ""))), None)
    if field is None or operator not in dict(OPERATORS):
        return None
    return Filter(field.name, operator, filter_value(field, operator, params.get("value", ""), notation))


@post("/collections/{name:str}/columns")
async def choose_columns(request: Request[Any, Any, Any], collection: NamedDependency[Collection]) -> Redirect:
    form = await read_form(request)
    back = Address(collection_href(collection.name))
    chosen = [field.id for field in collection.fields if f"column-{field.id}" in form]
    return Redirect(str(back), status_code=HTTP_303_SEE_OTHER, cookies=[columns_cookie(collection, chosen)])


@post("/collections/{name:str}/export")
async def export_records(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    jobs: NamedDependency[JobService],
) -> Redirect:
    require(visit, Permission.WRITE_FILES, "export records")
    shown = address("", parse_qsl((await read_form(request)).get("view", "")), *_KNOWN)
    filters = tuple(str(item) for item in parse_filters(shown.all("filter")))
    job = await jobs.start(visit.actor, Permission.WRITE_FILES, Export(collection.name, filters))
    return done(f"/jobs/{job.id}")


@get("/collections/{name:str}/new")
async def new_record(visit: NamedDependency[Visit], collection: NamedDependency[Collection]) -> Html:
    require(visit, Permission.WRITE_RECORDS, "add records")
    return _form(visit, collection)


@post("/collections/{name:str}/new", request_max_body_size=CONTENT_BYTES)
async def create_record(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    records: NamedDependency[RecordService],
) -> Response[Any]:
    require(visit, Permission.WRITE_RECORDS, "add records")
    form = await read_form(request)
    try:
        await records.create(
            visit.actor, collection.name, record_values(filled_fields(collection.fields, form), form, visit.notation)
        )
    except FORM_ERRORS as error:
        return _form(visit, collection, typed_values(collection.fields, form), problem=error)
    href = collection_href(collection.name)
    return done(f"{href}/new" if form.get("action") == "another" else href, "record-created")


@get("/collections/{name:str}/records/{record_id:int}")
async def record_page(
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    records: NamedDependency[RecordService],
    record_id: FromPath[int],
) -> Html:
    record = await records.get(visit.actor, collection.name, record_id)
    return _form(visit, collection, record=record)


@post("/collections/{name:str}/records/{record_id:int}", request_max_body_size=CONTENT_BYTES)
async def save_record(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    records: NamedDependency[RecordService],
    record_id: FromPath[int],
) -> Response[Any]:
    require(visit, Permission.WRITE_RECORDS, "change records")
    form = await read_form(request)
    changed = changed_fields(collection.fields, form)
    if not changed:
        return done(collection_href(collection.name), "record-unchanged")
    changes = RecordChanges(
        values=record_values(changed, form, visit.notation), version=whole_number(form.get("version", ""))
    )
    try:
        await records.update(visit.actor, collection.name, record_id, changes)
    except RecordNotFoundError:
        return _form(visit, collection, typed_values(collection.fields, form), problem=ConflictError(_DELETED))
    except FORM_ERRORS as error:
        record = await records.get(visit.actor, collection.name, record_id)
        typed = typed_values(changed, form)
        return _form(visit, collection, typed, record=record, problem=error, version=changes.version)
    return done(collection_href(collection.name), "record-saved")


@get("/collections/{name:str}/records/{record_id:int}/delete")
async def confirm_delete_record(
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    records: NamedDependency[RecordService],
    record_id: FromPath[int],
) -> Html:
    require(visit, Permission.WRITE_RECORDS, "delete records")
    record = await records.get(visit.actor, collection.name, record_id)
    context = {"collection": collection, "record": record, "lead": collection.fields[0]}
    return show(visit, "records/delete.html.j2", context)


@post("/collections/{name:str}/records/{record_id:int}/delete")
async def delete_record(
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    records: NamedDependency[RecordService],
    record_id: FromPath[int],
) -> Redirect:
    require(visit, Permission.WRITE_RECORDS, "delete records")
    await records.delete(visit.actor, collection.name, record_id)
    return done(collection_href(collection.name), "record-deleted")


def _form(  # noqa: PLR0913  one place composes the form in all its states
    visit: Visit,
    collection: Collection,
    typed: Mapping[str, str] | None = None,
    *,
    record: Record | None = None,
    problem: WebError | None = None,
    version: int | None = None,
) -> Html:
    """The form of a new or existing record; `typed` are the user's unsaved changes."""
    stale = record is not None and isinstance(problem, FieldConflictError)
    fields = collection.fields
    stored = shown_values(fields, record.values, visit.notation) if record else shown_defaults(fields, visit.notation)
    hashes = {field.name: input_hash(field, stored[field.name]) for field in fields}
    shown = {**stored, **(typed or {})}
    theirs = {
        field.name: stored[field.name] for field in fields if input_hash(field, shown[field.name]) != hashes[field.name]
    }
    context = {
        "collection": collection,
        "record": record,
        "typed": shown,
        "hashes": hashes,
        "problem": problem,
        "errors": field_errors(problem) if problem else {},
        "theirs": theirs if stale else {},
        "stale": stale,
        # After a conflict the form is based on the current version, which it shows next to the fields.
        "version": record.version if record and (stale or version is None) else version,
    }
    return show(visit, "records/form.html.j2", context, status=problem.status if problem else 200)
