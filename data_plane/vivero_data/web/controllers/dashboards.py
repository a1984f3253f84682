"""Dashboards: the list, one with its tiles, and the page where tiles are added, moved and removed."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from vivero_web.bodies import read_form
from vivero_web.errors import ConflictError, InvalidInputError, NotFoundError, WebError
from vivero_web.text import whole_number

from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.collections.service import CollectionService
from vivero_data.domain.dashboards.schemas import (
    Dashboard,
    DashboardChanges,
    ListTile,
    NewDashboard,
    ReportTile,
    TextTile,
    Tile,
    Width,
)
from vivero_data.domain.dashboards.service import DashboardService
from vivero_data.domain.records.schemas import RecordQuery
from vivero_data.domain.records.service import RecordService
from vivero_data.domain.reports.schemas import Report
from vivero_data.domain.reports.service import ReportService
from vivero_data.domain.users.schemas import Actor, Permission
from vivero_data.domain.views.service import ViewService, through
from vivero_data.lib.pages import MAX_LIMIT
from vivero_data.web.controllers.reports import shown_report
from vivero_data.web.forms import FORM_ERRORS, Form, field_errors
from vivero_data.web.listing import address, collection_href, page_links
from vivero_data.web.page import Viewer, Visit, done, fragment, require, show
from vivero_data.web.render import Html
from vivero_data.web.reports import CHARTS

_LISTED: Final = 8  # records of a list
_COLUMNS: Final = 4
_HOME: Final = "Home"


class Shown(msgspec.Struct, frozen=True):
    """A tile with its heading; its figures or records come by themselves, so that no page waits for them.

    Attributes:
        place: where the content comes from.
        gone: what it showed was deleted, or is nobody else's.
    """

    tile: Tile
    title: str
    href: str
    place: str
    gone: bool = False


class Board(msgspec.Struct, frozen=True):
    """A dashboard as a page shows it; `draws` if it has a chart."""

    dashboard: Dashboard
    tiles: tuple[Shown, ...]
    draws: bool


async def board_of(actor: Actor, reports: ReportService, dashboard: Dashboard) -> Board:
    """The dashboard with the headings of its tiles."""
    known = await reports.some(actor, {tile.report for tile in dashboard.tiles if isinstance(tile, ReportTile)})
    tiles = [
        _shown(tile, f"/dashboards/{dashboard.id}/tiles/{index}", known) for index, tile in enumerate(dashboard.tiles)
    ]
    return Board(dashboard, tuple(tiles), any(report.kind in CHARTS for report in known.values()))


def _shown(tile: Tile, place: str, known: dict[int, Report]) -> Shown:
    if isinstance(tile, ListTile):
        return Shown(tile, tile.collection, collection_href(tile.collection), place)
    if isinstance(tile, ReportTile):
        report = known.get(tile.report)
        title = report.name if report else "A report that was deleted"
        return Shown(tile, title, f"/reports/{tile.report}" if report else "", place, gone=report is None)
    return Shown(tile, "", "", place)


@get("/dashboards")
async def dashboard_list(
    request: Request[Any, Any, Any], visit: NamedDependency[Visit], dashboards: NamedDependency[DashboardService]
) -> Html:
    here = address("/dashboards", request.query_params.multi_items(), "cursor", "back")
    page = await dashboards.list(visit.actor, cursor=here.get("cursor") or None)
    return show(visit, "dashboards/list.html.j2", {"page": page, "page_links": page_links(here, page.next_cursor)})


@post("/dashboards")
async def create_dashboard(
    request: Request[Any, Any, Any], visit: NamedDependency[Visit], dashboards: NamedDependency[DashboardService]
) -> Response[Any]:
    require(visit, Permission.WRITE_RECORDS, "make dashboards")
    form = await read_form(request)
    try:
        made = await dashboards.create(visit.actor, NewDashboard(form.get("name", ""), shared="shared" in form))
    except FORM_ERRORS as error:
        page = await dashboards.list(visit.actor)
        context = {"page": page, "page_links": page_links(address("/dashboards", ()), page.next_cursor)}
        refused = {"form": form, "errors": field_errors(error), "problem": error}
        return show(visit, "dashboards/list.html.j2", {**context, **refused}, status=error.status)
    return done(f"/dashboards/{made.id}/edit", "dashboard-created")


@get("/dashboards/{dashboard_id:int}")
async def dashboard_page(
    visit: NamedDependency[Visit],
    dashboards: NamedDependency[DashboardService],
    reports: NamedDependency[ReportService],
    dashboard_id: FromPath[int],
) -> Html:
    board = await board_of(visit.actor, reports, await dashboards.get(visit.actor, dashboard_id))
    return show(visit, "dashboards/show.html.j2", {"board": board, "changeable": _may_change(visit, board.dashboard)})


@get("/dashboards/{dashboard_id:int}/tiles/{index:int}")
async def dashboard_tile(  # noqa: PLR0913, PLR0917  what a tile may be about
    viewer: NamedDependency[Viewer],
    dashboards: NamedDependency[DashboardService],
    reports: NamedDependency[ReportService],
    collections: NamedDependency[CollectionService],
    records: NamedDependency[RecordService],
    views: NamedDependency[ViewService],
    dashboard_id: FromPath[int],
    index: FromPath[int],
) -> Html:
    """What a tile shows, as an HTML fragment."""
    tiles = (await dashboards.get(viewer.actor, dashboard_id)).tiles
    if index >= len(tiles):
        raise NotFoundError("There is no such tile.")
    tile = tiles[index]
    if isinstance(tile, ReportTile):
        report = await reports.get(viewer.actor, tile.report)
        context = {"title": report.name, "shown": await shown_report(viewer.actor, reports, report)}
        return fragment(viewer, "reports/preview.html.j2", context)
    if isinstance(tile, ListTile):
        try:
            context = await _listed(viewer.actor, collections, records, views, tile)
        except (NotFoundError, ConflictError, InvalidInputError) as error:
            context = {"collection": None, "problem": error.detail}
        return fragment(viewer, "dashboards/records.html.j2", context)
    return fragment(viewer, "dashboards/text.html.j2", {"text": tile.text})


async def _listed(
    actor: Actor, collections: CollectionService, records: RecordService, views: ViewService, tile: ListTile
) -> dict[str, Any]:
    """The first records of a collection or a view, and the fields that there is room for."""
    collection = await collections.get(actor, tile.collection)
    query, chosen = RecordQuery(limit=_LISTED, sort="-id"), [field.name for field in collection.fields]
    if tile.view is not None:
        view = await views.get(actor, collection.name, tile.view)
        query = through(view, RecordQuery(limit=_LISTED))
        chosen = [column.field for column in view.columns] or chosen
    page = await records.list(actor, collection.name, query)
    return {"collection": collection, "fields": _fields(collection, chosen), "records": page.items, "problem": ""}


def _fields(collection: Collection, chosen: Sequence[str]) -> list[Any]:
    known = {field.name: field for field in collection.fields}
    return [known[name] for name in chosen if name in known][:_COLUMNS]


@get("/dashboards/{dashboard_id:int}/edit")
async def edit_dashboard(  # noqa: PLR0913, PLR0917  who, the services, which one
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    dashboards: NamedDependency[DashboardService],
    reports: NamedDependency[ReportService],
    collections: NamedDependency[CollectionService],
    dashboard_id: FromPath[int],
) -> Html:
    require(visit, Permission.WRITE_RECORDS, "change dashboards")
    do = request.query_params.get("do", "")
    return await _edit(visit, dashboards, reports, collections, dashboard_id, do=do)


@post("/dashboards/{dashboard_id:int}")
async def save_dashboard(  # noqa: PLR0913, PLR0917  who, the services, which one
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    dashboards: NamedDependency[DashboardService],
    reports: NamedDependency[ReportService],
    collections: NamedDependency[CollectionService],
    dashboard_id: FromPath[int],
) -> Response[Any]:
    """Its name and who sees it, or one step with its tiles."""
    require(visit, Permission.WRITE_RECORDS, "change dashboards")
    form = await read_form(request)
    try:
        changes = _changes(form, await dashboards.get(visit.actor, dashboard_id), home=visit.can.manage_workspace)
        await dashboards.update(visit.actor, dashboard_id, changes)
    except FORM_ERRORS as error:
        return await _edit(visit, dashboards, reports, collections, dashboard_id, form=form, problem=error)
    return done(f"/dashboards/{dashboard_id}/edit", "dashboard-saved" if "name" in form else "")


@post("/dashboards/{dashboard_id:int}/delete")
async def delete_dashboard(
    visit: NamedDependency[Visit], dashboards: NamedDependency[DashboardService], dashboard_id: FromPath[int]
) -> Response[Any]:
    require(visit, Permission.WRITE_RECORDS, "delete dashboards")
    await dashboards.delete(visit.actor, dashboard_id)
    return done("/dashboards", "dashboard-deleted")


@post("/reports/{report_id:int}/home")
async def put_on_home_page(
    visit: NamedDependency[Visit],
    dashboards: NamedDependency[DashboardService],
    reports: NamedDependency[ReportService],
    report_id: FromPath[int],
) -> Response[Any]:
    """The home page shows the report too; its dashboard is made by the first one."""
    require(visit, Permission.MANAGE_WORKSPACE, "change the home page")
    tile, board = ReportTile((await reports.get(visit.actor, report_id)).id), await dashboards.home(visit.actor)
    if board is None:
        await dashboards.create(visit.actor, NewDashboard(_HOME, (tile,), home=True))
    elif not any(isinstance(one, ReportTile) and one.report == tile.report for one in board.tiles):
        await dashboards.update(visit.actor, board.id, DashboardChanges(tiles=(*board.tiles, tile)))
    return done("/", "report-on-home")


def _may_change(visit: Visit, dashboard: Dashboard) -> bool:
    own = dashboard.owner == visit.actor.email or visit.can.manage_collections
    return visit.can.write_records and own


def _changes(form: Form, dashboard: Dashboard, *, home: bool) -> DashboardChanges:
    """What was asked for; only who may choose the home page was asked about it."""
    if "name" in form:
        words = DashboardChanges(name=form["name"], shared="shared" in form)
        return msgspec.structs.replace(words, home="home" in form) if home else words
    return DashboardChanges(tiles=moved(dashboard.tiles, form))


def moved(tiles: tuple[Tile, ...], form: Form) -> tuple[Tile, ...]:
    """The tiles after one step: `add` with what it says, or `up`, `down`, `remove`, `width` with a tile's place.

    Raises:
        InvalidInputError: the step says nothing.
    """
    step, _, place = form.get("step", "").partition("-")
    if step == "add":
        return (*tiles, _added(place, form))
    index = whole_number(place)
    if index is None or index >= len(tiles):
        raise InvalidInputError.of("step", "names no tile")
    before, tile, after = tiles[:index], tiles[index], tiles[index + 1 :]
    if step == "up":
        return (*before[:-1], tile, *before[-1:], *after)
    if step == "down":
        return (*before, *after[:1], tile, *after[1:])
    if step == "width":
        other = Width.FULL if tile.width is Width.HALF else Width.HALF
        return (*before, msgspec.structs.replace(tile, width=other), *after)
    if step == "remove":
        return (*before, *after)
    raise InvalidInputError.of("step", "is not one that there is")


def _added(kind: str, form: Form) -> Tile:
    if kind == "report":
        return ReportTile(whole_number(form.get("report", "")) or 0)
    if kind == "list":
        return ListTile(form.get("collection", ""))
    return TextTile(form.get("text", "").replace("\r\n", "\n"))


async def _edit(  # noqa: PLR0913  who, the services, which one, what came of its form
    visit: Visit,
    dashboards: DashboardService,
    reports: ReportService,
    collections: CollectionService,
    dashboard_id: int,
    *,
    form: Form | None = None,
    problem: WebError | None = None,
    do: str = "",
) -> Html:
    board = await board_of(visit.actor, reports, await dashboards.get(visit.actor, dashboard_id))
    context = {
        "board": board,
        "form": form or {},
        "errors": field_errors(problem) if problem else {},
        "problem": problem,
        "do": do,
        "reports": (await reports.list(visit.actor, MAX_LIMIT)).items,
        "names": [one.name for one in await collections.list(visit.actor)],
    }
    return show(visit, "dashboards/edit.html.j2", context, status=problem.status if problem else 200)
