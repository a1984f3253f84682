"""Records: one page of a collection's table, and one record's form."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import parse_qsl

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER
from vivero_web.bodies import read_form
from vivero_web.errors import ConflictError, InvalidInputError, WebError
from vivero_web.text import whole_number

from vivero_data.domain.collections.schemas import CONTENT_BYTES, Collection
from vivero_data.domain.comments.service import CommentService
from vivero_data.domain.files.service import FileService
from vivero_data.domain.jobs.service import JobService
from vivero_data.domain.records.errors import FieldConflictError, RecordNotFoundError
from vivero_data.domain.records.export import Export
from vivero_data.domain.records.files import RecordFileService
from vivero_data.domain.records.linking import ReferenceService
from vivero_data.domain.records.lists import SlowListError
from vivero_data.domain.records.schemas import Record, RecordChanges
from vivero_data.domain.records.service import RecordService
from vivero_data.domain.roles.rights import Right
from vivero_data.domain.users.schemas import Permission
from vivero_data.domain.views.schemas import View, ViewKind
from vivero_data.domain.views.service import BrokenViewError, ViewService
from vivero_data.lib.json import encode
from vivero_data.lib.lists import join_list
from vivero_data.lib.notation import in_zone
from vivero_data.lib.pages import MAX_LIMIT, Page
from vivero_data.web import boards, calendars
from vivero_data.web.bands import Band, bands_of
from vivero_data.web.columns import chosen
from vivero_data.web.forms import FORM_ERRORS, field_errors
from vivero_data.web.inputs import (
    changed_fields,
    filled_fields,
    input_hash,
    input_name,
    record_values,
    shown_defaults,
    shown_values,
    typed_values,
    uploaded_files,
)
from vivero_data.web.list_state import ListState, read_state, shown_in
from vivero_data.web.listing import Address, collection_href, columns_cookie, page_links, record_href
from vivero_data.web.page import Viewer, Visit, done, fragment, require, require_right, show
from vivero_data.web.record_page import Around, Reading, around
from vivero_data.web.render import Html
from vivero_data.web.toolbar import load, rearranged, toolbar

_DELETED: Final = (
    "Someone deleted this record while you were editing. What you typed is still here; you can create it as a new one."
)


@get("/collections/{name:str}")
async def record_list(  # noqa: PLR0913, PLR0917  the services of one page
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    records: NamedDependency[RecordService],
    views: NamedDependency[ViewService],
    references: NamedDependency[ReferenceService],
) -> Html:
    try:
        state, saved = await load(visit.actor, collection, views, parse_qsl(request.url.query), request.cookies)
    except InvalidInputError as error:
        state = read_state(collection, [], None, request.cookies)
        return _listed(visit, state, [], Page(items=[]), problem=_said(error))
    if state.view and state.view.broken and not state.edited:
        return _listed(visit, state, saved, Page(items=[]), problem=BrokenViewError(state.view).detail)
    try:
        return await _of_its_kind(visit, state, saved, records, references)
    except InvalidInputError as error:
        # An invalid sort, condition or cursor in the address: show the table with the error.
        return _listed(visit, state, saved, Page(items=[]), problem=_said(error))
    except SlowListError as error:
        return _listed(visit, state, saved, Page(items=[]), slow=error)


def _said(error: InvalidInputError) -> str:
    return error.errors[0].message if error.errors else error.detail


async def _of_its_kind(
    visit: Visit, state: ListState, saved: Sequence[View], records: RecordService, references: ReferenceService
) -> Html:
    if state.spec.kind is ViewKind.BOARD:
        return await _board(visit, state, saved, records, references)
    if state.spec.kind is ViewKind.CALENDAR:
        return await _calendar(visit, state, saved, records)
    name, spec = state.collection.name, state.spec
    page = await records.list(visit.actor, name, state.unfolded)
    if spec.group_by is None:
        return _listed(visit, state, saved, page)
    headings = await records.headings(visit.actor, name, state.query, spec.sums, page.items, spec.folded)
    return _listed(visit, state, saved, page, shown_as={"bands": bands_of(state, headings, page.items)})


async def _board(
    visit: Visit, state: ListState, saved: Sequence[View], records: RecordService, references: ReferenceService
) -> Html:
    field = boards.field_of(state.collection, state)
    if field is None:
        return _listed(visit, state, saved, Page(items=[]), problem=boards.NO_FIELD)
    every = await boards.lanes_of(visit.actor, references, field)
    lanes = await boards.fill(visit.actor, records, state, field, every)
    return _listed(
        visit,
        state,
        saved,
        Page(items=[]),
        shown_as={"columns": boards.shown_on(state), "field": field, "lanes": lanes},
    )


async def _calendar(visit: Visit, state: ListState, saved: Sequence[View], records: RecordService) -> Html:
    fields, zone = calendars.fields_of(state.collection, state), visit.notation.zone
    if fields is None:
        return _listed(visit, state, saved, Page(items=[]), problem=calendars.NO_FIELD)
    today = in_zone(visit.now, zone).date()
    window = calendars.window_of(state.here.get("day"), state.here.get("span"), today, visit.notation)
    condition = calendars.between(fields, window, zone)
    found, full = await calendars.entries(visit.actor, records, state, condition, fields.start)
    sheet = calendars.sheet(state, window, fields, found, today, zone, full=full)
    shown_as = {"sheet": sheet, "zone": zone, "most": calendars.MAX_ENTRIES}
    return _listed(visit, state, saved, Page(items=[]), shown_as=shown_as)


def _listed(  # noqa: PLR0913  one place composes the page in all its states
    visit: Visit,
    state: ListState,
    saved: Sequence[View],
    page: Page[Record],
    *,
    problem: str = "",
    slow: SlowListError | None = None,
    shown_as: Mapping[str, Any] = MappingProxyType({}),
) -> Html:
    context = {
        "collection": state.collection,
        "columns": state.columns,
        "lanes": (),
        "sheet": None,
        "bands": [Band(page.items)],
        **shown_as,
        "page": page,
        "here": state.base,
        "shown": state.here.query,
        "narrowed": state.narrowed,
        "bar": toolbar(state, saved, visit, slow),
        "page_links": page_links(state.here, page.next_cursor),
        "problem": problem,
    }
    return show(visit, "records/list.html.j2", context, status=422 if problem else 200)


@get("/collections/{name:str}/rows")
async def record_rows(
    request: Request[Any, Any, Any],
    viewer: NamedDependency[Viewer],
    collection: NamedDependency[Collection],
    records: NamedDependency[RecordService],
) -> Html:
    """Rows of the table as they are now, with the columns that it has: what the grid asks for after a change."""
    asked = request.query_params
    wanted = _numbers(asked.get("fields", ""))
    columns = [field for number in wanted for field in collection.fields if field.id == number] or list(
        collection.fields
    )
    ids = _numbers(asked.get("ids", ""))[:MAX_LIMIT]
    found = await records.some(viewer.actor, collection.name, ids) if ids else []
    context = {"collection": collection, "columns": columns, "records": found, "shown": asked.get("shown", "")}
    return fragment(viewer, "records/rows.html.j2", context)


def _numbers(text: str) -> list[int]:
    """Numbers with dots between them; what is none is left out."""
    found = [whole_number(part) for part in text.split(".")]
    return list(dict.fromkeys(number for number in found if number))


@post("/collections/{name:str}/columns")
async def choose_columns(request: Request[Any, Any, Any], collection: NamedDependency[Collection]) -> Redirect:
    """Which columns, in which order, and what stands below them."""
    form = await read_form(request)
    totals = [f"{one.name}:{total}" for one in collection.fields if (total := form.get(f"total-{one.id}"))]
    asked = any(name.startswith("total-") for name in form)
    changes = {"columns": "", **({"sums": join_list(totals)} if asked else {})}
    shown = rearranged(shown_in(collection, form.get("shown", "")), changes)
    columns = chosen(collection, form)
    place = f"#column-{moved}" if (moved := form.get("move", "").partition(":")[0]).isalnum() else ""
    if shown.get("view").isdigit():  # a view has columns of its own
        target = shown.put("columns", join_list(field.name for field in columns))
        return Redirect(f"{target}{place}", status_code=HTTP_303_SEE_OTHER)
    cookie = columns_cookie(collection, [field.id for field in columns[1:]])
    return Redirect(f"{shown}{place}", status_code=HTTP_303_SEE_OTHER, cookies=[cookie])


@post("/collections/{name:str}/export")
async def export_records(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    jobs: NamedDependency[JobService],
) -> Redirect:
    require(visit, Permission.WRITE_FILES, "export records")
    shown = shown_in(collection, (await read_form(request)).get("shown", ""))
    where = read_state(collection, shown.items, None, request.cookies).where
    order = Export(collection.name, where="" if where is None else encode(where))
    job = await jobs.start(visit.actor, Permission.WRITE_FILES, order)
    return done(f"/jobs/{job.id}")


@get("/collections/{name:str}/new")
async def new_record(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    files: NamedDependency[FileService],
) -> Html:
    """The form of a new record, with values that the address has for some of its fields."""
    require_right(visit, collection, Right.CREATE, "add records")
    asked = request.query_params
    given = [one for one in collection.fields if input_name(one) in asked and not one.kind.computed]
    typed = {one.name: asked[input_name(one)] for one in given}
    return _form(visit, collection, typed, shown=asked.get("shown", ""), max_bytes=files.max_bytes)


@post("/collections/{name:str}/new", request_max_body_size=CONTENT_BYTES)
async def create_record(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    records: NamedDependency[RecordService],
    files: NamedDependency[FileService],
) -> Response[Any]:
    require_right(visit, collection, Right.CREATE, "add records")
    form = await read_form(request)
    try:
        made = await records.create(
            visit.actor, collection.name, record_values(filled_fields(collection.fields, form), form, visit.notation)
        )
    except FORM_ERRORS as error:
        typed = typed_values(collection.fields, form)
        uploaded = {field.name: uploaded_files(field, form) for field in collection.fields}
        return _form(
            visit,
            collection,
            typed,
            problem=error,
            shown=form.get("shown", ""),
            max_bytes=files.max_bytes,
            uploaded=uploaded,
        )
    back = shown_in(collection, form.get("shown", ""))
    after = {
        "another": str(Address(f"{collection_href(collection.name)}/new").put("shown", back.query)),
        "files": f"{record_href(back, made.id)}#files",
    }
    return done(after.get(form.get("action", ""), str(back)), "record-created")


@get("/collections/{name:str}/records/{record_id:int}")
async def record_page(  # noqa: PLR0913, PLR0917  the services of one page
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    records: NamedDependency[RecordService],
    comments: NamedDependency[CommentService],
    views: NamedDependency[ViewService],
    references: NamedDependency[ReferenceService],
    record_files: NamedDependency[RecordFileService],
    files: NamedDependency[FileService],
    record_id: FromPath[int],
) -> Html:
    record = await records.get(visit.actor, collection.name, record_id)
    reading, shown = Reading(records, comments, views, references, record_files), request.query_params.get("shown", "")
    beside = await around(visit, collection, record_id, shown, reading, request.cookies)
    return _form(visit, collection, record=record, beside=beside, max_bytes=files.max_bytes)


@post("/collections/{name:str}/records/{record_id:int}", request_max_body_size=CONTENT_BYTES)
async def save_record(  # noqa: PLR0913, PLR0917  the services of one page
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    records: NamedDependency[RecordService],
    comments: NamedDependency[CommentService],
    views: NamedDependency[ViewService],
    references: NamedDependency[ReferenceService],
    record_files: NamedDependency[RecordFileService],
    files: NamedDependency[FileService],
    record_id: FromPath[int],
) -> Response[Any]:
    require_right(visit, collection, Right.CHANGE, "change records")
    form = await read_form(request)
    changed, shown = changed_fields(collection.fields, form), form.get("shown", "")
    back = str(shown_in(collection, shown))
    if not changed:
        return done(back, "record-unchanged")
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
        beside = await around(
            visit,
            collection,
            record_id,
            shown,
            Reading(records, comments, views, references, record_files),
            request.cookies,
        )
        return _form(
            visit,
            collection,
            typed,
            record=record,
            problem=error,
            version=changes.version,
            beside=beside,
            max_bytes=files.max_bytes,
        )
    return done(back, "record-saved")


@get("/collections/{name:str}/records/{record_id:int}/delete")
async def confirm_delete_record(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    records: NamedDependency[RecordService],
    record_id: FromPath[int],
) -> Html:
    require_right(visit, collection, Right.DELETE, "delete records")
    record = await records.get(visit.actor, collection.name, record_id)
    shown = shown_in(collection, request.query_params.get("shown", ""))
    context = {"collection": collection, "record": record, "lead": collection.fields[0], "shown": shown}
    return show(visit, "records/delete.html.j2", context)


@post("/collections/{name:str}/records/{record_id:int}/delete")
async def delete_record(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    records: NamedDependency[RecordService],
    record_id: FromPath[int],
) -> Redirect:
    require_right(visit, collection, Right.DELETE, "delete records")
    form = await read_form(request)
    entry = await records.delete(visit.actor, collection.name, record_id)
    return done(str(shown_in(collection, form.get("shown", ""))), "record-deleted", entry=entry)


def _form(  # noqa: PLR0913  one place composes the form in all its states
    visit: Visit,
    collection: Collection,
    typed: Mapping[str, str] | None = None,
    *,
    record: Record | None = None,
    problem: WebError | None = None,
    version: int | None = None,
    beside: Around | None = None,
    shown: str = "",
    max_bytes: int = 0,
    uploaded: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
) -> Html:
    """The form of a new or existing record; `typed` are the user's unsaved changes, `uploaded` a new one's files."""
    stale = record is not None and isinstance(problem, FieldConflictError)
    fields = collection.fields
    stored = shown_values(fields, record.values, visit.notation) if record else shown_defaults(fields, visit.notation)
    hashes = {field.name: input_hash(field, stored[field.name]) for field in fields}
    inputs = {**stored, **(typed or {})}
    theirs = {
        field.name: stored[field.name]
        for field in fields
        if input_hash(field, inputs[field.name]) != hashes[field.name]
    }
    context = {
        "collection": collection,
        "record": record,
        "typed": inputs,
        "list": beside.shown if beside else shown_in(collection, shown),
        "hashes": hashes,
        "problem": problem,
        "errors": field_errors(problem) if problem else {},
        "theirs": theirs if stale else {},
        "stale": stale,
        "related": beside.related if beside else (),
        "beside": beside,
        "max_bytes": max_bytes,
        "uploaded": uploaded,
        "may_upload": record is None and visit.actor.may(Permission.WRITE_FILES),
        # After a conflict the form is based on the current version, which it shows next to the fields.
        "version": record.version if record and (stale or version is None) else version,
    }
    return show(visit, "records/form.html.j2", context, status=problem.status if problem else 200)
