"""Records: one page of a collection's table, and one record's form."""

from collections.abc import Mapping
from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER
from vivero_web.errors import ConflictError, InvalidInputError, WebError

from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.records.schemas import Record, RecordChanges, RecordQuery
from vivero_data.domain.records.service import RecordService
from vivero_data.lib.pages import Page
from vivero_data.web.columns import chosen_columns, columns_cookie
from vivero_data.web.forms import FORM_ERRORS, field_errors, read_form, record_values, shown_values, typed_values
from vivero_data.web.listing import MAX_FILTERS, Address, Filter, address, collection_href, parse_filters, turns
from vivero_data.web.operators import OPERATORS, filter_words, lead_field
from vivero_data.web.page import Visit, done, show
from vivero_data.web.render import Html
from vivero_data.web.rights import require_writer

_KNOWN: Final = ("sort", "filter", "cursor", "back")


@get("/collections/{name:str}")
async def record_list(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    records: NamedDependency[RecordService],
) -> Response[Any]:
    here = address(collection_href(collection.name), request.query_params.multi_items(), *_KNOWN)
    wanted = new_filter(collection, request.query_params)
    if wanted:
        target = here.drop("cursor", "back").add("filter", str(wanted))
        return Redirect(str(target), status_code=HTTP_303_SEE_OTHER)
    filters = parse_filters(here.all("filter"))
    query = RecordQuery(
        cursor=here.get("cursor") or None, sort=here.get("sort"), filters=tuple(str(item) for item in filters)
    )
    problem = ""
    try:
        page = await records.list(visit.actor, collection.name, query)
    except InvalidInputError as error:
        # A sort, filter or cursor of an address that someone typed or kept: show the table and say it.
        page, problem = Page(items=[]), error.errors[0].message if error.errors else error.detail
    context = {
        "collection": collection,
        "columns": chosen_columns(collection, request.cookies),
        "page": page,
        "here": here,
        "filters": [(item, filter_words(collection, item)) for item in filters],
        "operators": OPERATORS,
        "full": len(filters) >= MAX_FILTERS,
        "lead": lead_field(collection),
        "turns": turns(here, page.next_cursor),
        "problem": problem,
    }
    return show(visit, "records/list.html.j2", context, status=422 if problem else 200)


def new_filter(collection: Collection, params: Mapping[str, str]) -> Filter | None:
    """The condition that the filter form or the search field adds to the address; None when it adds none."""
    searched = params.get("q", "").strip()
    lead = lead_field(collection)
    if searched and lead:
        return Filter(lead.name, "contains", searched)
    name, operator = params.get("field", ""), params.get("operator", "")
    if not name or operator not in dict(OPERATORS):
        return None
    return Filter(name, operator, params.get("value", "").strip())


@post("/collections/{name:str}/columns")
async def choose_columns(request: Request[Any, Any, Any], collection: NamedDependency[Collection]) -> Redirect:
    form = await read_form(request)
    back = Address(collection_href(collection.name))
    chosen = [field.id for field in collection.fields if f"column-{field.id}" in form]
    return Redirect(str(back), status_code=HTTP_303_SEE_OTHER, cookies=[columns_cookie(collection, chosen)])


@get("/collections/{name:str}/new")
async def new_record(visit: NamedDependency[Visit], collection: NamedDependency[Collection]) -> Html:
    require_writer(visit, "add records")
    defaults = {field.name: field.default for field in collection.fields}
    return _form(visit, collection, shown_values(collection.fields, defaults))


@post("/collections/{name:str}/new")
async def create_record(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    records: NamedDependency[RecordService],
) -> Response[Any]:
    require_writer(visit, "add records")
    form = await read_form(request)
    typed = typed_values(collection.fields, form)
    try:
        await records.create(visit.actor, collection.name, record_values(collection.fields, typed))
    except FORM_ERRORS as error:
        return _form(visit, collection, typed, problem=error)
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
    return _form(visit, collection, shown_values(collection.fields, record.values), record=record)


@post("/collections/{name:str}/records/{record_id:int}")
async def save_record(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    records: NamedDependency[RecordService],
    record_id: FromPath[int],
) -> Response[Any]:
    require_writer(visit, "change records")
    form = await read_form(request)
    typed = typed_values(collection.fields, form)
    changes = RecordChanges(values=record_values(collection.fields, typed), version=_version(form))
    try:
        await records.update(visit.actor, collection.name, record_id, changes)
    except FORM_ERRORS as error:
        record = await records.get(visit.actor, collection.name, record_id)
        return _form(visit, collection, typed, record=record, problem=error, version=changes.version)
    return done(collection_href(collection.name), "record-saved")


@get("/collections/{name:str}/records/{record_id:int}/delete")
async def confirm_delete_record(
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    records: NamedDependency[RecordService],
    record_id: FromPath[int],
) -> Html:
    require_writer(visit, "delete records")
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
    require_writer(visit, "delete records")
    await records.delete(visit.actor, collection.name, record_id)
    return done(collection_href(collection.name), "record-deleted")


def _version(form: Mapping[str, str]) -> int | None:
    text = form.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None  # noqa: PLR2004  a BIGINT's digits


def _form(  # noqa: PLR0913  one place composes the form in all its states
    visit: Visit,
    collection: Collection,
    typed: Mapping[str, str],
    *,
    record: Record | None = None,
    problem: WebError | None = None,
    version: int | None = None,
) -> Html:
    # A version conflict names no field; a taken unique value does.
    stale = record is not None and problem is not None and isinstance(problem, ConflictError) and not problem.errors
    context = {
        "collection": collection,
        "record": record,
        "typed": typed,
        "problem": problem,
        "errors": field_errors(problem) if problem else {},
        "theirs": _theirs(collection, record, typed) if stale and record else {},
        "stale": stale,
        # After a conflict the form is based on what it now shows beside the fields.
        "version": record.version if record and (stale or version is None) else version,
    }
    return show(visit, "records/form.html.j2", context, status=problem.status if problem else 200)


def _theirs(collection: Collection, record: Record, typed: Mapping[str, str]) -> dict[str, str]:
    """What is stored now, for each field where it is not what was typed."""
    stored = shown_values(collection.fields, record.values)
    return {name: value for name, value in stored.items() if value != typed.get(name, "")}
