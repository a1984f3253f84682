"""Views, filter, order and count of a table of records: what its toolbar sends and asks for."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER
from vivero_web.bodies import read_form
from vivero_web.errors import InvalidInputError, WebError

from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.jobs.service import JobService
from vivero_data.domain.records.filters import Tree
from vivero_data.domain.records.indexing import MAX_COLUMNS, AddIndex
from vivero_data.domain.records.lists import SlowListError
from vivero_data.domain.records.query import MAX_SORTS
from vivero_data.domain.records.schemas import RecordCount, RecordQuery
from vivero_data.domain.records.service import RecordService
from vivero_data.domain.users.schemas import Permission
from vivero_data.domain.views.schemas import NewView, View, ViewChanges, ViewKind
from vivero_data.domain.views.service import ViewService
from vivero_data.lib.json import encode
from vivero_data.lib.lists import join_list
from vivero_data.web.filter_rows import FilterForm, act, tree_of
from vivero_data.web.filter_rows import read_form as read_rows
from vivero_data.web.forms import FORM_ERRORS, Form, field_errors, sentence
from vivero_data.web.list_state import as_spec, labelled, read_state, shown_in
from vivero_data.web.listing import Address, collection_href, view_href
from vivero_data.web.page import Viewer, Visit, done, fragment, require, show
from vivero_data.web.render import Html
from vivero_data.web.toolbar import load, rearranged, toolbar


@get("/collections/{name:str}/filter")
async def edit_filter(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    views: NamedDependency[ViewService],
) -> Response[Any]:
    """The filter form after one of its buttons, alone for a script or as a page; `apply` leads to the table."""
    pairs = parse_qsl(request.url.query, keep_blank_values=True)
    asked = dict(pairs)
    shown = shown_in(collection, asked.get("shown", ""))
    state, found = await load(visit.actor, collection, views, shown.items, request.cookies)
    bar = toolbar(state, found, visit)
    action, form, problem = asked.get("action", ""), read_rows(pairs), ""
    if action == "apply":
        try:
            where = tree_of(collection, form, visit.notation)
        except InvalidInputError as error:
            problem = sentence(error.errors[0])
        else:
            return Redirect(str(state.with_where(where)), status_code=HTTP_303_SEE_OTHER)
    elif action:
        form = act(collection, form, action)
    elif "match" not in asked:
        form = bar.form or FilterForm()
    context = {
        "collection": collection,
        "bar": msgspec.structs.replace(bar, form=form),
        "problem": problem,
        "base": collection_href(collection.name),
    }
    return show(visit, "records/filter.html.j2", context, status=422 if problem else 200)


@get("/collections/{name:str}/arrange")
async def arrange(request: Request[Any, Any, Any], collection: NamedDependency[Collection]) -> Redirect:
    """The table with another search or order."""
    asked = request.query_params
    shown = shown_in(collection, asked.get("shown", ""))
    changes = {
        name: asked[name].strip() for name in ("search", "kind", "group", "start", "end", "height") if name in asked
    }
    if changes.get("group", shown.get("group")) != shown.get("group"):
        changes["folded"] = ""
    if "sort-0" in asked:
        fields = [(asked.get(f"sort-{place}", ""), asked.get(f"down-{place}", "")) for place in range(MAX_SORTS)]
        keys = {name: down for name, down in fields if name}
        changes["sort"] = join_list(f"{'-' if down else ''}{name}" for name, down in keys.items())
    target = rearranged(shown, changes)
    return Redirect(str(target), status_code=HTTP_303_SEE_OTHER)


@get("/collections/{name:str}/count")
async def count_records(
    request: Request[Any, Any, Any],
    viewer: NamedDependency[Viewer],
    collection: NamedDependency[Collection],
    records: NamedDependency[RecordService],
    views: NamedDependency[ViewService],
) -> Html:
    """How many match, alone for a script: the table's conditions, or those of the filter form as it is now."""
    pairs = parse_qsl(request.url.query, keep_blank_values=True)
    asked = dict(pairs)
    counted, problem = RecordCount(None, exact=False), ""
    shown = shown_in(collection, asked["shown"]) if "shown" in asked else Address("", tuple(pairs))
    try:
        state, _ = await load(viewer.actor, collection, views, shown.items, request.cookies)
        where: Tree | None = tree_of(collection, read_rows(pairs), viewer.notation) if "match" in asked else state.where
        query = RecordQuery(where="" if where is None else encode(where), search=state.spec.search)
        counted = await records.count(viewer.actor, collection.name, query, exact="exact" in asked)
    except InvalidInputError as error:
        problem = sentence(error.errors[0])
    again = str(Address(f"{collection_href(collection.name)}/count", tuple(pairs)).put("exact", "1"))
    context = {"counted": counted, "problem": problem, "again": "" if "exact" in asked else again}
    return fragment(viewer, "records/count.html.j2", context)


@get("/collections/{name:str}/totals")
async def show_totals(
    request: Request[Any, Any, Any],
    viewer: NamedDependency[Viewer],
    collection: NamedDependency[Collection],
    records: NamedDependency[RecordService],
    views: NamedDependency[ViewService],
) -> Html:
    """What stands below columns, alone for a script: the table does not wait for it."""
    pairs, found, problem = parse_qsl(request.url.query), dict[str, Any](), ""
    state = read_state(collection, [], None, request.cookies)
    try:
        state, _ = await load(viewer.actor, collection, views, pairs, request.cookies)
        found = await records.totals(viewer.actor, collection.name, state.query, state.spec.sums)
    except InvalidInputError as error:
        problem = sentence(error.errors[0])
    except SlowListError as error:
        problem = error.detail
    context = {
        "table": state.spec.kind is ViewKind.GRID,
        "columns": state.columns,
        "labelled": labelled(collection),
        "sums": state.spec.sums,
        "found": found,
        "problem": problem,
    }
    return fragment(viewer, "records/totals.html.j2", context)


@post("/collections/{name:str}/views")
async def save_view(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    views: NamedDependency[ViewService],
) -> Response[Any]:
    """What the table shows, as a new view."""
    form = await read_form(request)
    shown = shown_in(collection, form.get("shown", ""))
    state, _ = await load(visit.actor, collection, views, shown.items, request.cookies)
    said = msgspec.structs.asdict(as_spec(state))
    new = NewView(name=form.get("name", ""), shared="shared" in form, **said)
    try:
        made = await views.create(visit.actor, collection.name, new)
    except FORM_ERRORS as error:
        return _form(visit, collection, None, form, error)
    return done(view_href(collection.name, made.id), "view-saved")


@get("/collections/{name:str}/views/{view_id:int}")
async def view_page(
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    views: NamedDependency[ViewService],
    view_id: FromPath[int],
) -> Html:
    """Its name, who sees it, and its end."""
    view = await views.get(visit.actor, collection.name, view_id)
    typed = {
        "name": view.name,
        **({"shared": "true"} if view.shared else {}),
        **({"default": "true"} if view.default else {}),
        **({"locked": "true"} if view.locked else {}),
    }
    return _form(visit, collection, view, typed)


def _form(
    visit: Visit, collection: Collection, view: View | None, typed: Form, problem: WebError | None = None
) -> Html:
    """Of a view, or of a new one."""
    context = {
        "collection": collection,
        "view": view,
        "typed": typed,
        "errors": field_errors(problem) if problem else {},
        "problem": problem,
    }
    return show(visit, "records/view.html.j2", context, status=problem.status if problem else 200)


@post("/collections/{name:str}/views/{view_id:int}")
async def change_view(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    views: NamedDependency[ViewService],
    view_id: FromPath[int],
) -> Response[Any]:
    """Save what the table shows into the view, or its name and who sees it."""
    form = await read_form(request)
    view = await views.get(visit.actor, collection.name, view_id)
    if "shown" in form:
        shown = shown_in(collection, form["shown"])
        state = read_state(collection, shown.items, view, request.cookies)
        changes = ViewChanges(**msgspec.structs.asdict(as_spec(state)))
    else:
        changes = ViewChanges(name=form.get("name", ""), shared="shared" in form)
        if visit.can.manage_collections:
            changes = msgspec.structs.replace(changes, default="default" in form, locked="locked" in form)
    try:
        await views.change(visit.actor, collection.name, view_id, changes)
    except FORM_ERRORS as error:
        return _form(visit, collection, view, form, error)
    return done(view_href(collection.name, view_id), "view-saved")


@post("/collections/{name:str}/views/{view_id:int}/copy")
async def copy_view(
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    views: NamedDependency[ViewService],
    view_id: FromPath[int],
) -> Redirect:
    """Leads to the copy, which is one's own."""
    copy = await views.copy(visit.actor, collection.name, view_id)
    return done(view_href(collection.name, copy.id), "view-copied")


@post("/collections/{name:str}/views/{view_id:int}/delete")
async def delete_view(
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    views: NamedDependency[ViewService],
    view_id: FromPath[int],
) -> Redirect:
    """A notice offers to undo it, unless it was one's own."""
    entry = await views.delete(visit.actor, collection.name, view_id)
    return done(f"{collection_href(collection.name)}?view=all", "view-deleted", entry=entry or 0)


@post("/collections/{name:str}/indexes")
async def add_index(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    collection: NamedDependency[Collection],
    jobs: NamedDependency[JobService],
) -> Redirect:
    """Have the index added that a slow list offers."""
    require(visit, Permission.MANAGE_COLLECTIONS, "add an index")
    form = await read_form(request)
    named = (form.get(f"column-{place}", "") for place in range(MAX_COLUMNS))
    order = AddIndex(collection.name, tuple(name for name in named if name))
    job = await jobs.start(visit.actor, Permission.MANAGE_COLLECTIONS, order)
    return done(f"/jobs/{job.id}")


VIEW_PAGES: Sequence[Any] = (
    add_index,
    edit_filter,
    arrange,
    count_records,
    show_totals,
    save_view,
    view_page,
    change_view,
    copy_view,
    delete_view,
)
