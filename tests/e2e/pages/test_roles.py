"""The pages of roles in a real browser: a role is made by keyboard alone, with many collections and on a phone."""

from collections.abc import Callable

import pytest
from e2e.conftest import PHONE
from playwright.sync_api import Page, expect
from unit.data_plane_web.fakes import World
from vivero_data.domain.collections.schemas import NewField
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.roles.rights import CollectionRights, OwnRole

FIELDS = (NewField(name="Name", type=FieldType.TEXT),)


@pytest.fixture
def world() -> World:
    made = World()
    for number in range(30):
        made.keep(f"Collection {number:02}", FIELDS, [])
    return made


def test_a_role_is_made_by_keyboard_alone(page: Page, address: str, world: World) -> None:
    page.goto(f"{address}/roles/new")
    expect(page.get_by_role("textbox", name="Name")).to_be_focused()
    page.keyboard.type("Sales")
    page.get_by_role("checkbox", name="Change: Collection 07", exact=True).focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Sales")).to_be_visible()
    (role,) = world.roles.values()
    assert role.collections == {world.collections["Collection 07"].id: CollectionRights(change=True, delete=True)}


@pytest.mark.parametrize("path", ["/roles", "/roles/new", "/roles/7"])
def test_roles_are_accessible_and_fit_a_phone(
    page: Page, address: str, world: World, accessible: Callable[[Page], None], path: str
) -> None:
    name = "Rindfleischetikettierungsüberwachungsaufgabenübertragung"
    world.keep(f"{name} {name}"[:64], FIELDS, [])
    every = {one.id: CollectionRights(create=True, export=True) for one in world.collections.values()}
    world.roles[7] = OwnRole(7, name[:64], files=True, collections=every)
    page.goto(address + path)
    accessible(page)
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    expect(page.locator("main")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    boxes = page.locator("main label:has(input[type=checkbox])")
    for place in range(min(boxes.count(), 10)):
        box = boxes.nth(place).bounding_box()
        assert path == "/roles" or (box and min(box["height"], box["width"]) >= 40)
