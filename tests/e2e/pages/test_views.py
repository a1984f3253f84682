"""A table's filter, order and views in a real browser: by mouse with a script, and by keyboard alone."""

import re
from collections.abc import Callable, Iterator

import pytest
from integration.control_plane.support import running
from playwright.sync_api import Page, Route, expect
from unit.data_plane_web import fakes
from unit.data_plane_web.fakes import NOW, World
from vivero_data.domain.collections import definition
from vivero_data.domain.collections.schemas import Collection, NewField
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.records.schemas import Record

FIELDS = (
    NewField(name="Name", type=FieldType.TEXT, required=True),
    NewField(name="Stock", type=FieldType.INTEGER),
    NewField(name="Kind", type=FieldType.CHOICE, choices=["Tree", "Herb"]),
)
PLANTS = (("Lemon", 13, "Tree"), ("Olive", 22, "Tree"), ("Thyme", 40, "Herb"), ("Sage", 17, "Herb"))
PATH = "/collections/Plants"


@pytest.fixture
def nursery(page: Page) -> Iterator[Page]:
    world = World()
    fields = tuple(definition.as_field(one, world.next_id()) for one in FIELDS)
    world.collections["Plants"] = Collection(world.next_id(), "Plants", "", fields, len(PLANTS), NOW)
    world.records["Plants"] = {
        number: Record(number, 1, {"Name": name, "Stock": stock, "Kind": kind}, NOW, NOW)
        for number, (name, stock, kind) in enumerate(PLANTS, 1)
    }
    world.ids = 1000
    with running(fakes.make_app(world), ready=404) as address:
        page.goto(address + PATH)
        yield page


def plants(page: Page) -> list[str]:
    return page.locator("tbody tr td.v-lead").all_inner_texts()


def test_a_filter_is_built_counted_and_applied(nursery: Page, accessible: Callable[[Page], None]) -> None:
    nursery.locator("summary[title=Filter]").click()
    nursery.get_by_role("button", name="Add condition").click()
    row = nursery.get_by_role("group", name="Condition 1")
    row.get_by_label("Field", exact=True).select_option("Stock")
    expect(row.get_by_label("Condition", exact=True).locator("option", has_text="is more than")).to_have_count(1)
    row.get_by_label("Condition", exact=True).select_option("gt")
    row.get_by_label("Value", exact=True).fill("15")
    form = nursery.locator("#filter-form")
    expect(form.get_by_text("3 records match")).to_be_visible()
    nursery.get_by_role("button", name="Add group").click()
    second = nursery.get_by_role("group", name="Condition 2")
    second.get_by_label("Field", exact=True).select_option("Kind")
    expect(second.get_by_label("Value", exact=True).locator("option")).to_have_count(3)
    second.get_by_label("Value", exact=True).select_option("Herb")
    expect(form.get_by_text("2 records match")).to_be_visible()
    accessible(nursery)
    nursery.get_by_role("button", name="Add to this group").click()
    third = nursery.get_by_role("group", name="Condition 3")
    third.get_by_label("Condition", exact=True).select_option("eq")
    third.get_by_label("Value", exact=True).fill("olive")
    expect(form.get_by_text("3 records match")).to_be_visible()
    nursery.get_by_role("button", name="Remove condition 1").click()
    expect(form.get_by_text("3 records match")).to_be_visible()
    third = nursery.get_by_role("group", name="Condition 2")
    third.get_by_label("Value", exact=True).press("Enter")
    expect(nursery.get_by_label("Remove the condition Kind is Herb or Name is olive")).to_be_visible()
    assert plants(nursery) == ["Olive", "Thyme", "Sage"]
    expect(nursery.get_by_text("3 records match")).to_have_count(1)


def test_a_field_that_is_chosen_while_the_form_is_exchanged_has_its_values(nursery: Page) -> None:
    nursery.locator("summary[title=Filter]").click()
    nursery.get_by_role("button", name="Add condition").click()
    field = nursery.get_by_role("group", name="Condition 1").get_by_label("Field", exact=True)
    held: list[Route] = []

    def hold(route: Route) -> None:
        """The first two answers come when the test says so."""
        if len(held) < 2:
            held.append(route)
        else:
            route.continue_()

    nursery.route("**/filter?**", hold)
    with nursery.expect_request(lambda request: "action=group" in request.url):
        nursery.get_by_role("button", name="Add group").click()
    with nursery.expect_request(lambda request: "c0-field=Kind" in request.url):
        field.select_option("Kind")
    held[0].continue_()
    expect(nursery.get_by_role("group", name="Condition 2")).to_be_visible()
    value = nursery.get_by_role("group", name="Condition 1").get_by_label("Value", exact=True)
    expect(value.locator("option")).to_have_count(3)
    expect(field).to_have_value("Kind")
    held[1].continue_()


def test_a_view_is_made_by_keyboard_alone(nursery: Page) -> None:
    nursery.get_by_role("searchbox", name="Search these records").focus()
    nursery.keyboard.type("e")
    nursery.keyboard.press("Enter")
    expect(nursery.get_by_label("Remove the search: contains e")).to_be_visible()
    nursery.locator("summary[title=Sort]").focus()
    nursery.keyboard.press("Enter")
    nursery.keyboard.press("Tab")
    nursery.keyboard.type("Stock")
    nursery.keyboard.press("Tab")
    nursery.keyboard.type("Desc")
    nursery.get_by_role("button", name="Sort", exact=True).focus()
    nursery.keyboard.press("Enter")
    nursery.wait_for_url("**sort=-Stock**")
    assert plants(nursery) == ["Thyme", "Olive", "Sage", "Lemon"]
    nursery.locator("summary[title=View]").focus()
    nursery.keyboard.press("Enter")
    nursery.keyboard.press("Tab")
    nursery.keyboard.type("Most first")
    nursery.keyboard.press("Enter")
    tab = nursery.get_by_role("navigation", name="Views").get_by_role("link", name="Most first")
    expect(tab).to_have_attribute("aria-current", "page")
    assert plants(nursery) == ["Thyme", "Olive", "Sage", "Lemon"]


def test_the_focus_stays_where_it_was_when_a_row_changes(nursery: Page) -> None:
    nursery.locator("summary[title=Filter]").focus()
    nursery.keyboard.press("Enter")
    nursery.get_by_role("button", name="Add condition").focus()
    nursery.keyboard.press("Enter")
    expect(nursery.get_by_role("group", name="Condition 1")).to_be_visible()
    expect(nursery.get_by_role("button", name="Add condition")).to_be_focused()
    field = nursery.get_by_role("group", name="Condition 1").get_by_label("Field", exact=True)
    field.focus()
    nursery.keyboard.type("K")  # the form comes anew with it, and further letters would be new ones
    expect(
        nursery.get_by_role("group", name="Condition 1").get_by_label("Value", exact=True).locator("option")
    ).to_have_count(3)
    expect(field).to_be_focused()


def test_what_is_typed_while_the_form_is_asked_for_stays(nursery: Page) -> None:
    """The server's answer is the form as it was asked for."""
    nursery.locator("summary[title=Filter]").click()
    nursery.get_by_role("button", name="Add condition").click()
    row = nursery.get_by_role("group", name="Condition 1")
    row.get_by_label("Field", exact=True).select_option("Stock")
    expect(row.get_by_label("Condition", exact=True).locator("option", has_text="is more than")).to_have_count(1)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    nursery.route("**/filter?**", hold)
    row.get_by_label("Condition", exact=True).select_option("gt")
    row.get_by_label("Value", exact=True).fill("15")
    while not held:
        nursery.wait_for_timeout(20)
    with nursery.expect_response("**/filter?**"):
        for one in held:
            one.continue_()
    expect(row.get_by_label("Condition", exact=True)).to_have_value("gt")
    expect(row.get_by_label("Value", exact=True)).to_have_value("15")
    expect(nursery.locator("#filter-form").get_by_text("3 records match")).to_be_visible()


def test_groups_fold_and_stay_so_in_a_saved_view(nursery: Page, accessible: Callable[[Page], None]) -> None:
    page = nursery
    page.goto(f"{page.url}?group=Kind&sums=Stock:sum")
    expect(page.locator("tfoot")).to_contain_text("92")
    expect(page.locator("tr.v-group")).to_have_text(
        [re.compile("Herb.*2.*57", re.DOTALL), re.compile("Tree.*2.*35", re.DOTALL)]
    )
    accessible(page)
    page.locator("tbody td", has_text="Sage").last.click()
    page.keyboard.press("ArrowDown")  # past the heading
    assert "Lemon" in page.locator("td:focus").locator("..").inner_text()
    page.keyboard.press("ArrowUp")
    assert "Sage" in page.locator("td:focus").locator("..").inner_text()
    fold = page.get_by_role("link", name="Hide the records of Herb")
    fold.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Show the records of Herb")).to_have_attribute("aria-expanded", "false")
    assert plants(page) == ["Lemon", "Olive"]
    expect(page.locator("tfoot")).to_contain_text("92")
    page.locator("summary[title=View]").click()
    page.get_by_label("Save as a view").fill("By kind")
    page.get_by_role("button", name="Save view").click()
    expect(page.get_by_role("link", name="By kind")).to_have_attribute("aria-current", "page")
    assert plants(page) == ["Lemon", "Olive"]
    page.get_by_role("link", name="Show the records of Herb").click()
    expect(page.locator("tbody tr td.v-lead")).to_have_count(4)


def columns_of(page: Page) -> list[str]:
    heads = page.locator("thead th[data-name]").all()
    return [head.get_attribute("data-name") or "" for head in heads]


def test_columns_are_moved_by_mouse_by_keyboard_and_in_the_menu(
    nursery: Page, accessible: Callable[[Page], None]
) -> None:
    page = nursery
    page.get_by_role("columnheader", name="Kind").drag_to(
        page.get_by_role("columnheader", name="Stock"), target_position={"x": 8, "y": 10}
    )
    expect(page.locator("thead th[data-name]").nth(1)).to_have_attribute("data-name", "Kind")
    page.locator("tbody td", has_text="Herb").first.click()
    page.keyboard.press("Alt+Shift+ArrowRight")
    expect(page.locator("thead th[data-name]").nth(2)).to_have_attribute("data-name", "Kind")
    assert page.locator("td:focus").inner_text() == "Herb", "the cell keeps the focus"
    page.keyboard.press("Alt+Shift+ArrowRight")
    assert columns_of(page) == ["Name", "Stock", "Kind"], "behind the last there is no place"
    page.locator("summary[title=Columns]").click()
    accessible(page)
    page.get_by_role("button", name="Move Kind earlier").click()
    expect(page.locator("thead th[data-name]").nth(1)).to_have_attribute("data-name", "Kind")
    expect(page.get_by_role("button", name="Move Kind later")).to_be_visible()


def test_a_width_is_kept_in_the_view_for_everybody(nursery: Page) -> None:
    page = nursery
    page.goto(f"{page.url}?sort=Stock")
    page.locator("summary[title=View]").click()
    page.get_by_label("Save as a view").fill("By stock")
    page.get_by_role("button", name="Save view").click()
    head = page.get_by_role("columnheader", name="Stock")
    width = head.evaluate("head => head.offsetWidth")
    edge = head.bounding_box()
    assert edge
    with page.expect_response(lambda answer: answer.request.method == "PATCH") as patched:
        page.mouse.move(edge["x"] + edge["width"] - 3, edge["y"] + 10)
        page.mouse.down()
        page.mouse.move(edge["x"] + edge["width"] + 57, edge["y"] + 10, steps=4)
        page.mouse.up()
    assert patched.value.ok
    page.evaluate("localStorage.clear()")
    page.reload()
    assert head.evaluate("head => head.style.width") == f"{width + 60}px"
    with page.expect_response(lambda answer: answer.request.method == "PATCH"):
        head.locator(".v-resize").dblclick()
    page.reload()
    assert head.evaluate("head => head.offsetWidth") == width
