"""A calendar in a real browser: entries are moved by mouse and by keyboard alone, beside others, and on a phone."""

from collections.abc import Callable
from datetime import date

import pytest
from e2e.conftest import PHONE
from playwright.sync_api import Locator, Page, expect
from unit.data_plane_web.fakes import NOW, World
from vivero_data.domain.collections.schemas import NewField
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.records.schemas import Record
from vivero_data.domain.users.schemas import Role

FIELDS = (
    NewField(name="Name", type=FieldType.TEXT, required=True),
    NewField(name="Due", type=FieldType.DATE),
    NewField(name="Until", type=FieldType.DATE),
)
TASKS = (("Sow", 3, 3), ("Water", 10, 12), *((f"Pot {number}", 20, None) for number in range(15)))
PATH = "/collections/Tasks?kind=calendar&start=Due&end=Until&day=2026-11-01"


def day(number: int | None) -> date | None:
    return None if number is None else date(2026, 11, number)


@pytest.fixture
def world() -> World:
    made = World()
    made.keep("Tasks", FIELDS, [{"Name": name, "Due": day(due), "Until": day(until)} for name, due, until in TASKS])
    return made


@pytest.fixture
def plan(page: Page, address: str) -> Page:
    page.goto(address + PATH)
    return page


def on(page: Page, number: int) -> Locator:
    return page.locator(f"[data-day='2026-11-{number:02}']")


def test_a_month_shows_what_is_on_its_days(plan: Page, accessible: Callable[[Page], None]) -> None:
    expect(plan.get_by_role("heading", name="November 2026", exact=True)).to_be_visible()
    assert plan.locator(".v-day").count() == 42
    for number in (10, 11, 12):
        expect(on(plan, number).get_by_role("link", name="Water")).to_be_visible()
    summary = on(plan, 20).locator("summary")
    expect(summary).to_contain_text("+12 more")
    summary.focus()
    plan.keyboard.press("Enter")
    expect(on(plan, 20).locator(".v-entry:visible")).to_have_count(15)
    accessible(plan)
    plan.get_by_role("link", name="Later", exact=True).click()
    expect(plan.get_by_role("heading", name="December 2026", exact=True)).to_be_visible()
    plan.get_by_role("link", name="Earlier", exact=True).click()
    plan.get_by_role("link", name="Week", exact=True).click()
    assert plan.locator(".v-day").count() == 7


def test_an_entry_is_dragged_to_another_day(plan: Page, world: World) -> None:
    on(plan, 10).locator(".v-entry").drag_to(on(plan, 16))
    expect(on(plan, 18).get_by_role("link", name="Water")).to_be_visible()
    expect(on(plan, 10).locator(".v-entry")).to_have_count(0)
    values = world.records["Tasks"][2].values
    assert (values["Due"], values["Until"]) == (day(16), day(18))


def test_an_entry_is_moved_by_keyboard_alone(plan: Page, world: World, accessible: Callable[[Page], None]) -> None:
    on(plan, 3).get_by_role("button", name="Move Sow").focus()
    plan.keyboard.press("Enter")
    field = plan.get_by_role("textbox", name="Due")
    expect(field).to_be_focused()
    expect(field).to_have_value("2026-11-03")
    accessible(plan)
    plan.keyboard.press("Escape")
    expect(on(plan, 3).get_by_role("button", name="Move Sow")).to_be_focused()
    plan.keyboard.press("Enter")
    field.fill("2026-11-05")
    plan.keyboard.press("Enter")
    expect(on(plan, 5).get_by_role("link", name="Sow")).to_be_visible()
    assert world.records["Tasks"][1].values["Due"] == day(5)


def test_what_another_person_moved_stays_there_and_is_said(plan: Page, world: World) -> None:
    fields = {one.name: one.id for one in world.collections["Tasks"].fields}
    world.records["Tasks"][1] = Record(1, 2, {"Name": "Sow", "Due": day(8), "Until": day(8)}, NOW, NOW)
    world.touched[("Tasks", 1)] = {fields["Due"]: 2, fields["Until"]: 2}
    on(plan, 3).locator(".v-entry").drag_to(on(plan, 5))
    expect(plan.get_by_text("Somebody else changed its dates meanwhile.")).to_be_visible()
    expect(on(plan, 8).get_by_role("link", name="Sow")).to_be_visible()
    assert world.records["Tasks"][1].values["Due"] == day(8)


def test_a_new_record_is_on_its_day(plan: Page) -> None:
    on(plan, 25).get_by_role("link", name="New record on").click()
    expect(plan.get_by_label("Due")).to_have_value("2026-11-25")
    plan.get_by_label("Name").fill("Rake")
    plan.get_by_role("button", name="Create record").click()
    expect(on(plan, 25).get_by_role("link", name="Rake")).to_be_visible()


def test_a_calendar_is_chosen_and_saved_as_a_view(page: Page, address: str) -> None:
    page.goto(f"{address}/collections/Tasks")
    page.locator("summary[title='Show as']").click()
    form = page.get_by_role("form", name="Calendar")
    form.get_by_label("By", exact=True).select_option("Due")
    form.get_by_label("Until").select_option("Until")
    page.get_by_role("button", name="Show calendar").click()
    page.locator("summary[title=View]").click()
    page.get_by_placeholder("Name").fill("Plan")
    page.get_by_role("button", name="Save view").click()
    tab = page.get_by_role("navigation", name="Views").get_by_role("link", name="Plan")
    expect(tab).to_have_attribute("aria-current", "page")
    expect(page.locator("[data-calendar]")).to_be_visible()


def test_a_viewer_moves_nothing(page: Page, world: World, address: str) -> None:
    world.role = Role.VIEWER
    page.goto(address + PATH)
    expect(on(page, 3).get_by_role("link", name="Sow")).to_be_visible()
    expect(page.locator("[draggable='true'], [data-move], #move-entry, .v-day-new")).to_have_count(0)


def test_a_phone_shows_a_list_of_the_days_that_have_something(page: Page, address: str) -> None:
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    page.goto(address + PATH)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for number in (3, 10, 11, 12, 20):
        expect(on(page, number)).to_be_visible()
    expect(on(page, 4)).to_be_hidden()
    box = on(page, 3).get_by_role("button", name="Move Sow").bounding_box()
    assert box
    assert min(box["width"], box["height"]) >= 44
    page.goto(address + PATH.replace("2026-11-01", "2020-02-01"))
    expect(page.get_by_text("Nothing is on these days.")).to_be_visible()
