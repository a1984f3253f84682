"""The pages of dashboards, and the tiles and first steps of the home page."""

import html

import pytest
from unit.data_plane_web.browser import Browser
from unit.data_plane_web.fakes import World
from vivero_data.domain.dashboards.schemas import ListTile, ReportTile, TextTile, Tile, Width
from vivero_data.domain.users.schemas import Role
from vivero_data.web.controllers.dashboards import moved
from vivero_web.errors import InvalidInputError

REPORT = {
    "name": "Value by status",
    "collection": "Customers",
    "group__0": ":Status",
    "measure__0": "sum:Value",
    "kind": "bar",
}
TILES: tuple[Tile, ...] = (ReportTile(1), ListTile("Customers"), TextTile("Note"))


@pytest.mark.parametrize(
    ("form", "order"),
    [
        ({"step": "up-1"}, (1, 0, 2)),
        ({"step": "up-0"}, (0, 1, 2)),
        ({"step": "down-0"}, (1, 0, 2)),
        ({"step": "down-2"}, (0, 1, 2)),
        ({"step": "remove-1"}, (0, 2)),
    ],
)
def test_tiles_are_moved_and_removed(form: dict[str, str], order: tuple[int, ...]) -> None:
    assert moved(TILES, form) == tuple(TILES[index] for index in order)


def test_tiles_are_added_at_the_end_and_widened() -> None:
    assert moved(TILES, {"step": "add-report", "report": "7"}) == (*TILES, ReportTile(7))
    assert moved(TILES, {"step": "add-list", "collection": "Files"}) == (*TILES, ListTile("Files"))
    assert moved((), {"step": "add-text", "text": "one\r\ntwo"}) == (TextTile("one\ntwo"),)
    wide = moved(TILES, {"step": "width-0"})
    assert wide == (ReportTile(1, Width.FULL), *TILES[1:])
    assert moved(wide, {"step": "width-0"}) == TILES


@pytest.mark.parametrize("step", ["", "up", "up-3", "up-x", "turn-1"])
def test_a_step_that_says_nothing_is_refused(step: str) -> None:
    with pytest.raises(InvalidInputError):
        moved(TILES, {"step": step})


def test_a_dashboard_is_made_filled_and_deleted(browser: Browser, world: World) -> None:
    browser.customers()
    report = browser.send("/reports/new", **REPORT).rpartition("/")[2]
    assert "Dashboards" in browser.open("/dashboards")
    place = browser.send("/dashboards", name="Sales", shared="true").removesuffix("/edit")
    assert "No tiles yet" in browser.open(place)
    browser.send(place, step="add-report", report=report)
    browser.send(place, step="add-list", collection="Customers")
    browser.send(place, step="add-text", text="Call <b>Ada</b>")
    page = browser.open(place)
    assert "charts-" in page
    assert "Call &lt;b&gt;Ada&lt;/b&gt;" in page
    assert f'hx-get="{place}/tiles/0"' in page
    assert "data-chart" in browser.open(f"{place}/tiles/0")
    assert "There is no record yet." in browser.open(f"{place}/tiles/1")
    browser.open(f"{place}/tiles/9", 404)
    assert "Must not be empty." in browser.send(place, 422, name="")
    browser.send(place, name="Sales and more")
    assert "Sales and more" in browser.open("/dashboards")
    assert world.dashboards[int(place.rpartition("/")[2])].shared is False
    assert browser.send(f"{place}/delete") == "/dashboards"
    browser.open(place, 404)


def test_a_report_is_put_on_the_home_page_once(browser: Browser, world: World) -> None:
    browser.customers()
    place = browser.send("/reports/new", **REPORT, shared="true")
    assert "data-chart" not in browser.open("/")
    for _ in range(2):
        assert browser.send(f"{place}/home") == "/"
    page = browser.open("/")
    assert "The report is on the home page." in page
    assert page.count('hx-trigger="load"') == 1
    assert "charts-" in page
    assert len(world.dashboards) == 1
    world.role = Role.MEMBER
    assert f"{place}/home" not in browser.open(place)
    browser.send(f"{place}/home", 403)
    assert 'hx-trigger="load"' in browser.open("/"), "everybody sees it"


def test_a_viewer_changes_no_dashboard(browser: Browser, world: World) -> None:
    place = browser.send("/dashboards", name="Sales", shared="true").removesuffix("/edit")
    world.role = Role.VIEWER
    assert "Create dashboard" not in browser.open("/dashboards")
    assert "/edit" not in browser.open(place)
    browser.open(f"{place}/edit", 403)
    browser.send("/dashboards", 403, name="x")
    browser.send(place, 403, step="remove-0")
    browser.send(f"{place}/delete", 403)


def test_first_steps_are_ticked_off_and_go(browser: Browser, world: World) -> None:
    assert "0 of 5" in html.unescape(browser.open("/"))
    browser.customers()
    place = browser.send("/reports/new", **REPORT, shared="true")
    assert "2 of 5" in browser.open("/")
    browser.send(f"{place}/home")
    assert "3 of 5" in browser.open("/")
    world.role = Role.MEMBER
    assert "First steps" not in browser.open("/"), "they are the administrators'"
    world.role = Role.OWNER
    assert browser.send("/first-steps/hide") == "/"
    assert "First steps" not in browser.open("/")


def test_a_new_workspace_offers_three_ways_to_begin(browser: Browser, world: World) -> None:
    page = browser.open("/")
    assert [href in page for href in ("/imports/new", "/templates", "/new-collection")] == [True] * 3
    assert "Stock of a plant nursery" in browser.open("/templates")
    assert browser.send("/templates/orders") == "/"
    page = browser.open("/")
    assert "Your sample data is here." in page
    assert "Sample data of “Customers and orders” is in this workspace." in page
    assert "How do you want to begin?" not in page
    assert "There is a collection Customers already." in browser.send("/templates/orders", 409)
    assert browser.send(f"/samples/{world.samples[0].id}/delete") == "/"
    assert "Sample data of" not in browser.open("/")


def test_members_are_offered_no_beginning(browser: Browser, world: World) -> None:
    world.role = Role.MEMBER
    page = browser.open("/")
    assert "/templates" not in page
    assert "An administrator or the owner can add the first one." in page
    browser.open("/templates", 403)
    browser.send("/templates/orders", 403)
    browser.send("/samples/1/delete", 403)
