"""A board in a real browser: cards are moved by mouse and by keyboard alone, beside others, and on a phone."""

from collections.abc import Callable

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
    NewField(name="State", type=FieldType.CHOICE, choices=["New", "Growing", "Sold"]),
    NewField(name="Watered", type=FieldType.BOOLEAN),
    NewField(name="Notes", type=FieldType.LONG_TEXT),
)
PLANTS = (("Lemon", "New"), ("Olive", "New"), ("Thyme", "Growing"), ("Sage", None))
PATH = "/collections/Plants?kind=board&group=State"


@pytest.fixture
def world() -> World:
    made = World()
    made.keep("Plants", FIELDS, [{"Name": name, "State": state, "Notes": "By the door"} for name, state in PLANTS])
    return made


@pytest.fixture
def nursery(page: Page, address: str) -> Page:
    page.goto(address + PATH)
    return page


def lane(page: Page, name: str) -> Locator:
    return page.get_by_role("list", name=name, exact=True)


def card(page: Page, name: str) -> Locator:
    return page.locator(".v-card").filter(has_text=name)


def state(world: World, number: int) -> object:
    return world.records["Plants"][number].values["State"]


def counts(page: Page) -> list[str]:
    return [text.removesuffix(" records") for text in page.locator("[data-count]").all_inner_texts()]


def test_a_card_is_dragged_to_another_column(nursery: Page, world: World, accessible: Callable[[Page], None]) -> None:
    assert nursery.locator(".v-lane-head").count() == 4
    card(nursery, "Lemon").drag_to(lane(nursery, "Growing"))
    expect(lane(nursery, "Growing").locator(".v-card")).to_have_count(2)
    expect(nursery.locator("[data-board-said]")).to_have_text("Moved Lemon to Growing.")
    assert state(world, 1) == "Growing"
    expect(nursery.locator("[data-count]")).to_have_text(["1 records", "1 records", "2 records", "0 records"])
    nursery.reload()
    expect(lane(nursery, "Growing").locator(".v-card")).to_have_count(2)
    accessible(nursery)


def test_a_card_is_moved_by_keyboard_alone(nursery: Page, world: World, accessible: Callable[[Page], None]) -> None:
    button = card(nursery, "Sage").get_by_role("button", name="Move Sage")
    button.focus()
    nursery.keyboard.press("Enter")
    expect(nursery.get_by_role("combobox", name="State")).to_be_focused()
    accessible(nursery)
    nursery.keyboard.type("Sold")
    nursery.keyboard.press("Tab")
    nursery.keyboard.press("Tab")
    nursery.keyboard.press("Enter")
    expect(lane(nursery, "Sold").locator(".v-card").filter(has_text="Sage")).to_have_count(1)
    expect(button).to_be_focused()
    expect(nursery.locator("[data-board-said]")).to_have_text("Moved Sage to Sold.")
    assert state(world, 4) == "Sold"
    nursery.keyboard.press("Enter")
    nursery.get_by_role("combobox", name="State").select_option("No value")
    nursery.get_by_role("button", name="Move", exact=True).click()
    expect(lane(nursery, "No value").locator(".v-card")).to_have_count(1)
    expect(nursery.locator("[data-board-said]")).to_have_text("Moved Sage to No value.")
    assert state(world, 4) is None


def test_escape_and_cancel_move_nothing(nursery: Page, world: World) -> None:
    card(nursery, "Sage").get_by_role("button", name="Move Sage").click()
    nursery.get_by_role("combobox", name="State").select_option("Sold")
    nursery.keyboard.press("Escape")
    card(nursery, "Lemon").get_by_role("button", name="Move Lemon").click()
    nursery.get_by_role("combobox", name="State").select_option("Sold")
    nursery.get_by_role("button", name="Cancel").click()
    expect(lane(nursery, "Sold").locator(".v-card")).to_have_count(0)
    assert (state(world, 1), state(world, 4)) == ("New", None)


def test_what_another_person_did_is_said_and_decided(nursery: Page, world: World) -> None:
    def changed(number: int, **values: object) -> None:
        before = world.records["Plants"][number]
        world.records["Plants"][number] = Record(number, before.version + 1, {**before.values, **values}, NOW, NOW)
        fields = {one.name: one.id for one in world.collections["Plants"].fields}
        world.touched[("Plants", number)] = {fields[name]: before.version + 1 for name in values}

    changed(2, Notes="Moved by Grace")
    card(nursery, "Olive").drag_to(lane(nursery, "Growing"))
    expect(nursery.locator("[data-board-said]")).to_have_text("Moved Olive to Growing.")
    assert world.records["Plants"][2].values["Notes"] == "Moved by Grace"
    changed(1, State="Sold")
    card(nursery, "Lemon").drag_to(lane(nursery, "Growing"))
    expect(lane(nursery, "Sold").locator(".v-card")).to_have_count(1)
    note = card(nursery, "Lemon").get_by_role("alert")
    expect(note).to_contain_text("Somebody else moved it to “Sold” meanwhile.")
    assert state(world, 1) == "Sold"
    note.get_by_role("button", name="Move to “Growing”").click()
    expect(nursery.locator("[data-board-said]")).to_have_text("Moved Lemon to Growing.")
    assert state(world, 1) == "Growing"


def test_a_refused_move_goes_back_and_says_why(nursery: Page) -> None:
    nursery.route("**/api/v1/**", lambda route: route.fulfill(status=503, json={"detail": "The database is away."}))
    card(nursery, "Lemon").drag_to(lane(nursery, "Growing"))
    expect(card(nursery, "Lemon").get_by_role("alert")).to_contain_text("The database is away.")
    expect(lane(nursery, "New").locator(".v-card")).to_have_count(2)


def test_a_new_card_has_the_value_of_its_column(nursery: Page) -> None:
    nursery.get_by_role("link", name="New record in Growing").click()
    expect(nursery.get_by_label("State")).to_have_value("Growing")
    nursery.get_by_label("Name").fill("Fig")
    nursery.get_by_role("button", name="Create record").click()
    expect(lane(nursery, "Growing").locator(".v-card")).to_have_count(2)
    assert "kind=board" in nursery.url


def test_a_long_column_comes_page_by_page(page: Page, world: World, address: str) -> None:
    for number in range(10, 60):
        values = {"Name": f"Seed {number}", "State": "New", "Watered": None, "Notes": None}
        world.records["Plants"][number] = Record(number, 1, values, NOW, NOW)
    world.page_size = 20
    page.goto(address + PATH)
    cards = lane(page, "New").locator(".v-card")
    expect(cards).to_have_count(20)
    for expected in (40, 52):
        lane(page, "New").get_by_role("link", name="Show more").click()
        expect(cards).to_have_count(expected)
    expect(lane(page, "New").get_by_role("link", name="Show more")).to_have_count(0)
    card(page, "Seed 59").get_by_role("button", name="Move Seed 59").click()
    page.get_by_role("combobox", name="State").select_option("Sold")
    page.get_by_role("button", name="Move", exact=True).click()
    expect(lane(page, "Sold").locator(".v-card")).to_have_count(1)


def test_a_board_is_chosen_and_saved_as_a_view(page: Page, address: str) -> None:
    page.goto(f"{address}/collections/Plants")
    page.locator("summary[title='Show as']").click()
    page.get_by_role("form", name="Board").get_by_label("Columns by").select_option("Watered")
    page.get_by_role("button", name="Show board").click()
    expect(page.locator(".v-lane-head")).to_have_count(3)
    page.locator("summary[title=View]").click()
    page.get_by_placeholder("Name").fill("Watering")
    page.get_by_role("button", name="Save view").click()
    tab = page.get_by_role("navigation", name="Views").get_by_role("link", name="Watering")
    expect(tab).to_have_attribute("aria-current", "page")
    expect(lane(page, "No value").locator(".v-card")).to_have_count(4)


def test_a_viewer_moves_nothing(page: Page, world: World, address: str) -> None:
    world.role = Role.VIEWER
    page.goto(address + PATH)
    expect(page.locator(".v-card")).to_have_count(4)
    expect(page.locator("[draggable='true'], [data-move], #move-card")).to_have_count(0)
    expect(page.get_by_role("link", name="New record in Growing")).to_have_count(0)


def test_columns_snap_on_a_phone(page: Page, address: str) -> None:
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    page.goto(address + PATH)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box = card(page, "Sage").get_by_role("button", name="Move Sage").bounding_box()
    assert box
    assert box["width"] >= 44
    assert box["height"] >= 44
    assert page.locator(".v-board").evaluate("one => getComputedStyle(one).scrollSnapType") == "x mandatory"
