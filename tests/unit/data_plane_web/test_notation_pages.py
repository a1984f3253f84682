"""The page of one's own notation, without a script."""

from datetime import UTC, datetime
from decimal import Decimal

from unit.data_plane.builders import collection, field
from unit.data_plane_web.browser import Browser, form_of
from unit.data_plane_web.fakes import World
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.notation.person import PersonNotation
from vivero_data.domain.notation.service import WorkspaceSettings
from vivero_data.domain.records.schemas import Record
from vivero_data.domain.users.schemas import Role
from vivero_data.lib.notation import Dates, Numbers

HERE = "/account/notation"
NOW = datetime(2026, 11, 30, tzinfo=UTC)


def test_it_is_chosen_and_taken_back(browser: Browser, world: World) -> None:
    world.role = Role.VIEWER
    world.settings = WorkspaceSettings("UTC", Numbers.COMMA, Dates.DOTS)
    form = form_of(browser.open(HERE), HERE)
    assert set(form.values()) == {""}
    assert browser.send(HERE, time_zone="Asia/Tokyo", number_notation="1,234.50", date_notation="") == HERE
    assert world.own_notation == PersonNotation("Asia/Tokyo", Numbers.POINT, None)
    page = browser.open(HERE)
    assert "Your notation is saved." in page
    assert form_of(page, HERE)["time_zone"] == "Asia/Tokyo"
    browser.send(HERE, time_zone="", number_notation="", date_notation="")
    assert world.own_notation == PersonNotation()


def test_pages_write_in_it(browser: Browser, world: World) -> None:
    things = collection(field(FieldType.TEXT, 10), field(FieldType.NUMBER, 11))
    world.collections["Things"] = things
    world.records["Things"] = {1: Record(1, 1, {"Text": "x", "Number": Decimal("1234.5")}, NOW, NOW)}
    world.settings = WorkspaceSettings("UTC", Numbers.COMMA, None)
    assert "1.234,5" in browser.open("/collections/Things")
    world.own_notation = PersonNotation(None, Numbers.APOSTROPHE, None)
    assert "1’234.5" in browser.open("/collections/Things")


def test_what_is_in_no_list_is_refused_beside_its_field(browser: Browser, world: World) -> None:
    for name in ("time_zone", "number_notation", "date_notation"):
        page = browser.send(HERE, 422, **{"time_zone": "", "number_notation": "", "date_notation": "", name: "<none>"})
        assert f'id="{name}-error"' in page
    assert world.own_notation == PersonNotation()
