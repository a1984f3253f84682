"""The table of records as people work in it: by keyboard alone, with a spreadsheet's clipboard, beside others."""

import re
from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from e2e.conftest import PHONE
from integration.control_plane.support import running
from playwright.sync_api import Locator, Page, expect
from unit.data_plane_web import fakes
from unit.data_plane_web.fakes import NOW, World
from vivero_data.domain.collections.schemas import NewField
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.records.schemas import Record
from vivero_data.domain.users.schemas import Role

FIELDS = (
    NewField(name="Name", type=FieldType.TEXT, required=True),
    NewField(name="Price", type=FieldType.NUMBER),
    NewField(name="Stock", type=FieldType.INTEGER),
    NewField(name="Kind", type=FieldType.CHOICE, choices=["Tree", "Herb"]),
    NewField(name="Sold", type=FieldType.BOOLEAN),
    NewField(name="Notes", type=FieldType.LONG_TEXT),
    NewField(name="Number", type=FieldType.AUTONUMBER),
)
PLANTS = ("Lemon", "Olive", "Thyme", "Sage", "Fig")
PATH = "/collections/Plants"


@pytest.fixture
def world() -> World:
    made = World()
    made.keep("Plants", FIELDS, [{"Name": name, "Stock": number} for number, name in enumerate(PLANTS, 1)])
    return made


@pytest.fixture
def nursery(page: Page, world: World) -> Iterator[Page]:
    with running(fakes.make_app(world), ready=404) as address:
        page.goto(address + PATH)
        yield page
        page.close(run_before_unload=False)


def cell(page: Page, plant: str, field: str) -> Locator:
    heads = page.locator("thead th").evaluate_all("heads => heads.map(head => head.dataset.name)")
    return page.locator("tbody tr").filter(has_text=plant).locator("td").nth(heads.index(field))


def value(world: World, number: int, field: str) -> object:
    return world.records["Plants"][number].values[field]


def saved(page: Page) -> None:
    expect(page.locator("td[data-state]")).to_have_count(0)


def test_cells_are_edited_by_keyboard_alone(nursery: Page, world: World) -> None:
    page = nursery
    page.locator("td[tabindex='0']").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.type("1.234,50")
    page.keyboard.press("Tab")
    expect(page.locator("td:focus")).to_have_text("2")
    page.keyboard.press("Enter")
    page.keyboard.type("40")
    page.keyboard.press("Enter")
    saved(page)
    expect(cell(page, "Olive", "Price")).to_contain_text("234.5")
    assert str(value(world, 2, "Price")) == "1234.5"
    assert value(world, 2, "Stock") == 40
    expect(page.locator("td:focus")).to_have_text("3")
    page.keyboard.press("F2")
    page.keyboard.type("999")
    page.keyboard.press("Escape")
    expect(page.locator("td:focus")).to_have_text("3")
    assert value(world, 3, "Stock") == 3


def test_yes_or_no_is_toggled_and_a_choice_is_made(nursery: Page, world: World) -> None:
    page = nursery
    cell(page, "Sage", "Sold").click()
    page.keyboard.press("Space")
    saved(page)
    assert value(world, 4, "Sold") is True
    page.keyboard.press("Space")
    saved(page)
    assert value(world, 4, "Sold") is False
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    page.get_by_label("Kind").last.select_option("Herb")
    page.keyboard.press("Enter")
    saved(page)
    assert value(world, 4, "Kind") == "Herb"
    expect(cell(page, "Sage", "Kind")).to_have_text("Herb")


def test_what_is_refused_stays_in_its_cell_and_says_why(
    nursery: Page, world: World, accessible: Callable[[Page], None]
) -> None:
    page = nursery
    cell(page, "Fig", "Stock").click()
    page.keyboard.type("many")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Must be")
    refused = page.locator("td[aria-invalid='true']")
    expect(refused).to_contain_text("many")
    accessible(page)
    refused.click(position={"x": 4, "y": 4})
    page.keyboard.press("Enter")
    expect(page.locator(".v-cell-input")).to_have_value("many")
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("12")
    page.keyboard.press("Enter")
    saved(page)
    assert value(world, 5, "Stock") == 12


def test_changes_of_other_fields_are_merged(nursery: Page, world: World) -> None:
    page = nursery
    theirs(world, 1, "Stock", 77)
    cell(page, "Lemon", "Price").click()
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    saved(page)
    expect(cell(page, "Lemon", "Stock")).to_have_text("77")
    assert (value(world, 1, "Stock"), str(value(world, 1, "Price"))) == (77, "3")


@pytest.mark.parametrize(("button", "stays"), [("Save mine", 5), ("Keep theirs", 77)])
def test_a_conflict_shows_both_values_and_a_person_decides(
    nursery: Page, world: World, button: str, stays: int
) -> None:
    page = nursery
    theirs(world, 1, "Stock", 77)
    cell(page, "Lemon", "Stock").click()
    page.keyboard.type("5")
    page.keyboard.press("Enter")
    note = page.get_by_role("alert")
    expect(note).to_contain_text("77")
    expect(note).to_contain_text("5")
    assert value(world, 1, "Stock") == 77
    note.get_by_role("button", name=button).click()
    saved(page)
    expect(cell(page, "Lemon", "Stock")).to_have_text(str(stays))
    assert value(world, 1, "Stock") == stays


def theirs(world: World, number: int, field: str, new: object) -> None:
    """Somebody else changes one field."""
    record = world.records["Plants"][number]
    numbers = {one.name: one.id for one in world.collections["Plants"].fields}
    world.touched[("Plants", number)] = {numbers[field]: record.version + 1}
    world.records["Plants"][number] = Record(number, record.version + 1, {**record.values, field: new}, NOW, NOW)


def clipboard(page: Page, text: str) -> None:
    page.evaluate(
        """text => {
            const data = new DataTransfer();
            data.setData("text/plain", text);
            document.activeElement.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
        }""",
        text,
    )


def test_three_by_three_cells_are_pasted(nursery: Page, world: World) -> None:
    page = nursery
    cell(page, "Olive", "Price").click()
    clipboard(page, "1,5\t10\tTree\r\n2,5\t20\tHerb\r\n3,5\t30\tTree\r\n")
    saved(page)
    expect(cell(page, "Sage", "Kind")).to_have_text("Tree")
    assert [str(value(world, one, "Price")) for one in (2, 3, 4)] == ["1.5", "2.5", "3.5"]
    assert [value(world, one, "Stock") for one in (1, 2, 3, 4, 5)] == [1, 10, 20, 30, 5]


def test_of_what_is_pasted_only_the_refused_cells_stay_open(nursery: Page, world: World) -> None:
    page = nursery
    cell(page, "Lemon", "Stock").click()
    clipboard(page, "11\nx\n33\n")
    expect(page.get_by_role("alert")).to_have_count(1)
    expect(page.locator("td[aria-invalid='true']")).to_contain_text("x")
    assert [value(world, one, "Stock") for one in (1, 2, 3)] == [11, 2, 33]


@pytest.mark.parametrize(("button", "count"), [("Add records", 7), ("Leave them out", 5)])
def test_rows_below_the_last_are_added_after_asking(nursery: Page, world: World, button: str, count: int) -> None:
    page = nursery
    cell(page, "Fig", "Name").locator("div").click(position={"x": 200, "y": 10})
    clipboard(page, 'Fig tree\t9\n"Bay\tlaurel"\t8\nMint\t7')
    page.get_by_role("dialog").get_by_role("button", name=button).click()
    saved(page)
    expect(page.locator("tbody tr")).to_have_count(count)
    assert value(world, 5, "Name") == "Fig tree"
    names = [one.values["Name"] for one in world.records["Plants"].values()]
    assert names[5:] == (["Bay\tlaurel", "Mint"] if count == 7 else [])


def test_a_range_is_copied_as_a_spreadsheet_takes_it(nursery: Page) -> None:
    page = nursery
    page.evaluate(
        "document.addEventListener('copy', event => { window.copied = event.clipboardData.getData('text/plain'); })"
    )
    cell(page, "Lemon", "Name").locator("div").click(position={"x": 200, "y": 10})
    for key in ("Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowDown", "ControlOrMeta+c"):
        page.keyboard.press(key)
    assert page.evaluate("window.copied") == "Lemon\t\t1\nOlive\t\t2"


def test_cells_are_emptied_together(nursery: Page, world: World) -> None:
    page = nursery
    cell(page, "Olive", "Stock").click()
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Delete")
    saved(page)
    expect(cell(page, "Thyme", "Stock").locator(".v-none")).to_be_attached()
    assert [value(world, one, "Stock") for one in (1, 2, 3, 4)] == [1, None, None, 4]


def test_tab_after_escape_leaves_the_table(nursery: Page) -> None:
    page = nursery
    page.locator("td[tabindex='0']").focus()
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert not page.evaluate("document.activeElement.closest('[data-grid]')")


def test_a_viewer_moves_and_changes_nothing(page: Page, world: World) -> None:
    world.role = Role.VIEWER
    with running(fakes.make_app(world), ready=404) as address:
        page.goto(address + PATH)
        cell(page, "Olive", "Stock").click()
        page.keyboard.type("9")
        expect(page.locator(".v-cell-input")).to_have_count(0)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Olive")).to_be_visible()


def test_the_first_column_and_the_head_stay_on_a_phone(nursery: Page) -> None:
    page = nursery
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    box = page.locator("[data-grid]")
    lead = cell(page, "Lemon", "Name")
    before = lead.bounding_box()
    box.evaluate("box => box.scrollTo(box.scrollWidth, 0)")
    assert lead.bounding_box() == before
    assert box.evaluate("box => box.scrollLeft") > 0
    expect(page.get_by_role("columnheader", name="Notes")).to_be_visible()


def test_a_width_is_remembered(nursery: Page) -> None:
    page = nursery
    cell(page, "Lemon", "Stock").click()
    head = page.get_by_role("columnheader", name="Stock")
    width = head.evaluate("head => head.offsetWidth")
    page.keyboard.press("Alt+ArrowRight")
    assert head.evaluate("head => head.style.width") == f"{width + 16}px"
    page.reload()
    assert head.evaluate("head => head.style.width") == f"{width + 16}px"


def tick(page: Page, plant: str, *modifiers: Literal["Shift"]) -> None:
    page.locator("tbody tr").filter(has_text=plant).get_by_role("checkbox").click(modifiers=list(modifiers))


def test_one_field_of_what_was_ticked_is_changed_and_taken_back(
    nursery: Page, world: World, accessible: Callable[[Page], None]
) -> None:
    page = nursery
    tick(page, "Olive")
    tick(page, "Sage", "Shift")
    expect(page.get_by_text("3 selected")).to_be_visible()
    accessible(page)
    page.get_by_role("button", name="Change a field").click()
    page.get_by_label("Which field?").select_option("Kind")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Kind").select_option("Herb")
    accessible(page)
    page.get_by_role("button", name="Change 3 records").click()
    expect(page.get_by_text("3 records changed.")).to_be_visible()
    assert [value(world, one, "Kind") for one in (1, 2, 3, 4, 5)] == [None, "Herb", "Herb", "Herb", None]
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone.")).to_be_visible()
    assert [value(world, one, "Kind") for one in (2, 3, 4)] == [None, None, None]


def test_all_of_a_page_are_ticked_by_keyboard_and_deleted(nursery: Page, world: World) -> None:
    page = nursery
    page.get_by_role("checkbox", name="Select all of this page").press("Space")
    cell(page, "Fig", "Stock").click()
    page.keyboard.press("Shift+Space")
    expect(page.get_by_text("4 selected")).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete 4 records").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    assert list(world.records["Plants"]) == [5]


def test_a_value_that_many_cannot_have_is_asked_for_again(nursery: Page, world: World) -> None:
    page = nursery
    tick(page, "Olive")
    page.get_by_role("button", name="Change a field").click()
    page.get_by_label("Which field?").select_option("Stock")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Stock").fill("many")
    page.get_by_role("button", name="Change 1 record").click()
    expect(page.get_by_label("Stock")).to_have_value("many")
    expect(page.get_by_label("Stock")).to_have_attribute("aria-invalid", "true")
    assert value(world, 2, "Stock") == 2


def test_copies_come_below(nursery: Page, world: World) -> None:
    page = nursery
    tick(page, "Olive")
    page.get_by_role("button", name="Duplicate").click()
    page.get_by_role("button", name="Duplicate 1 record").click()
    expect(page.locator("tbody tr").filter(has_text="Olive")).to_have_count(2)
    assert len(world.records["Plants"]) == 6


def test_a_record_leads_to_its_neighbours_and_back_to_its_list(
    nursery: Page, accessible: Callable[[Page], None]
) -> None:
    page = nursery
    page.get_by_role("columnheader", name="Name").get_by_role("link").click()
    page.get_by_role("link", name="Olive").click()
    page.get_by_role("link", name="Previous record").click()
    expect(page.get_by_role("heading", name="Lemon", level=1)).to_be_visible()
    page.get_by_label("Add a comment").fill("Needs water\nevery day")
    page.get_by_role("button", name="Comment").click()
    expect(page.get_by_role("article")).to_contain_text("Needs water")
    accessible(page)
    page.get_by_label("Stock").fill("9")
    page.get_by_role("button", name="Save changes").click()
    expect(page).to_have_url(re.compile(r"sort=Name"))
    expect(cell(page, "Lemon", "Stock")).to_have_text("9")
    page.get_by_role("link", name="Lemon").click()
    expect(page.get_by_role("complementary", name="About this record")).to_contain_text("Changed record")


def test_a_deleted_record_comes_back_by_one_click(nursery: Page, world: World) -> None:
    page = nursery
    page.get_by_role("link", name="Olive").click()
    page.get_by_role("link", name="Delete record").click()
    page.get_by_role("button", name="Delete record").click()
    expect(page.get_by_text("Record deleted.")).to_be_visible()
    assert 2 not in world.records["Plants"]
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("link", name="Olive")).to_be_visible()


def test_what_the_workspace_writes_itself_is_not_written_by_hand(nursery: Page, world: World) -> None:
    page = nursery
    cell(page, "Olive", "Number").click()
    page.keyboard.type("9")
    expect(page.locator(".v-cell-input")).to_have_count(0)
    expect(page.locator("td:focus")).to_have_attribute("aria-readonly", "true")
    cell(page, "Olive", "Notes").click()
    clipboard(page, "Evergreen\t17")
    saved(page)
    assert (value(world, 2, "Notes"), value(world, 2, "Number")) == ("Evergreen", None)
