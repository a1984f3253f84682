"""Imports: a file is chosen, its plan is looked at, its rows are written, and the whole can be taken back."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect, Stream
from vivero_web.bodies import read_form
from vivero_web.errors import InvalidInputError, WebError

from vivero_data.domain.collections.schemas import CONTENT_BYTES
from vivero_data.domain.collections.service import CollectionService
from vivero_data.domain.files.service import FileService
from vivero_data.domain.imports.controllers import failures_file, receive
from vivero_data.domain.imports.schemas import Import, ImportOrder, ImportState, Plan
from vivero_data.domain.imports.service import ImportService
from vivero_data.domain.users.schemas import Actor, Permission
from vivero_data.web.controllers.collections import TYPE_LABELS
from vivero_data.web.forms import FORM_ERRORS
from vivero_data.web.import_forms import field_options, key_options, order_of, other_errors, rows
from vivero_data.web.listing import address, page_links
from vivero_data.web.page import Visit, done, require, show
from vivero_data.web.render import Html


@get("/imports")
async def import_list(
    request: Request[Any, Any, Any], visit: NamedDependency[Visit], imports: NamedDependency[ImportService]
) -> Html:
    require(visit, Permission.WRITE_RECORDS, "import files")
    here = address("/imports", request.query_params.multi_items(), "cursor", "back")
    page = await imports.list(visit.actor, cursor=here.get("cursor") or None)
    return show(visit, "imports/list.html.j2", {"page": page, "page_links": page_links(here, page.next_cursor)})


@get("/imports/new")
async def new_import(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    files: NamedDependency[FileService],
    collections: NamedDependency[CollectionService],
) -> Html:
    into = request.query_params.get("into", "")
    _require(visit, into)
    if into:
        into = (await collections.get(visit.actor, into)).name
    return _choose(visit, files, into)


@post("/imports/new")
async def upload_import(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    files: NamedDependency[FileService],
    imports: NamedDependency[ImportService],
) -> Response[Any]:
    into = request.query_params.get("into", "")
    _require(visit, into)
    try:
        made = await receive(request, visit.actor, files, imports, into or None, asks=True)
    except FORM_ERRORS as error:
        return _choose(visit, files, into, problem=error)
    return done(f"/imports/{made.id}")


@get("/imports/{import_id:int}")
async def import_page(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    imports: NamedDependency[ImportService],
    collections: NamedDependency[CollectionService],
    import_id: FromPath[int],
) -> Html:
    found = await imports.get(visit.actor, import_id)
    plan = await imports.plan(visit.actor, import_id) if found.state is ImportState.READY else None
    if plan is not None:
        page = await _look(visit, collections, found, plan, ImportOrder())
        if request.headers.get("hx-request"):
            page.headers["hx-refresh"] = "true"  # the page that waited for this has another content
        return page
    return show(visit, "imports/show.html.j2", {"one": found})


@post("/imports/{import_id:int}", request_max_body_size=CONTENT_BYTES)
async def start_import(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    imports: NamedDependency[ImportService],
    collections: NamedDependency[CollectionService],
    import_id: FromPath[int],
) -> Response[Any]:
    require(visit, Permission.WRITE_RECORDS, "import files")
    found = await imports.get(visit.actor, import_id)
    plan = await imports.plan(visit.actor, import_id)
    form = await read_form(request)
    if plan is None or found.state is not ImportState.READY:
        return done(f"/imports/{import_id}")
    order = order_of(form, plan, makes=found.makes)
    try:
        await imports.go_on(visit.actor, import_id, order)
    except FORM_ERRORS as error:
        changed = await imports.plan(visit.actor, import_id, order) or plan
        return await _look(visit, collections, found, changed, order, problem=error)
    return done(f"/imports/{import_id}")


@post("/imports/{import_id:int}/undo")
async def undo_import(
    visit: NamedDependency[Visit], imports: NamedDependency[ImportService], import_id: FromPath[int]
) -> Redirect:
    require(visit, Permission.WRITE_RECORDS, "undo imports")
    await imports.undo(visit.actor, import_id)
    return done(f"/imports/{import_id}")


@get("/imports/{import_id:int}/errors")
async def import_errors(
    actor: NamedDependency[Actor], imports: NamedDependency[ImportService], import_id: FromPath[int]
) -> Stream:
    return await failures_file(actor, imports, import_id)


def _require(visit: Visit, into: str) -> None:
    if into:
        require(visit, Permission.WRITE_RECORDS, "import records")
    else:
        require(visit, Permission.MANAGE_COLLECTIONS, "make a collection of a file")


def _choose(visit: Visit, files: FileService, into: str, *, problem: WebError | None = None) -> Html:
    context = {"into": into, "max_bytes": files.max_bytes, "problem": problem.detail if problem else ""}
    return show(visit, "imports/new.html.j2", context, status=problem.status if problem else 200)


async def _look(  # noqa: PLR0913  what is shown, to whom, and what is wrong with it
    visit: Visit,
    collections: CollectionService,
    found: Import,
    plan: Plan,
    order: ImportOrder,
    *,
    problem: WebError | None = None,
) -> Html:
    target = None if found.makes else await collections.get(visit.actor, found.collection or "")
    invalid = problem if isinstance(problem, InvalidInputError) else None
    errors = {error.field: error.message for error in problem.errors} if problem else {}
    context = {
        "one": found,
        "plan": plan,
        "rows": rows(plan, invalid),
        "order": order,
        "name": order.name or found.collection,
        "type_labels": TYPE_LABELS,
        "field_options": field_options(target) if target else [],
        "key_options": key_options(plan.columns),
        "problems": other_errors(invalid) or ([problem.detail] if problem and not invalid else []),
        "sent": problem is not None,
        "errors": errors,
    }
    return show(visit, "imports/look.html.j2", context, status=problem.status if problem else 200)
