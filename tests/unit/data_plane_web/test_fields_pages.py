"""The pages of a collection's fields, and the trash."""

import re

import msgspec
from unit.data_plane_web.browser import Browser
from unit.data_plane_web.fakes import FakeFields, World
from vivero_data.domain.collections.schemas import FieldChange, LostValue
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.users.schemas import Role

FIELDS = "/collections/Customers/fields"


def names(world: World) -> list[str]:
    return [field.name for field in world.collections["Customers"].fields]


def number_of(world: World, name: str) -> int:
    return next(field.id for field in world.collections["Customers"].fields if field.name == name)


def test_a_field_is_added_where_its_name_is_free(browser: Browser, world: World) -> None:
    browser.customers()
    assert 'href="/collections/Customers/new-field"' in browser.open(FIELDS)
    page = browser.send("/collections/Customers/new-field", 422, name="company", type="text")
    assert "Is the name of another field." in page
    assert 'value="company"' in page, "what was typed stays"
    assert browser.send("/collections/Customers/new-field", name="Due", type="date", required="true") == FIELDS
    assert world.collections["Customers"].fields[-1].type is FieldType.DATE
    assert "Field added." in browser.open(FIELDS)


def test_fields_move_up_and_down_by_buttons(browser: Browser, world: World) -> None:
    browser.customers()
    before = names(world)
    browser.send("/collections/Customers/order", down=before[0])
    assert names(world)[:2] == [before[1], before[0]]
    browser.send("/collections/Customers/order", up=before[0])
    browser.send("/collections/Customers/order", up=before[0])
    browser.send("/collections/Customers/order", down="nothing")
    assert names(world) == before


def test_what_a_change_costs_is_shown_before_it_is_made(browser: Browser, world: World) -> None:
    browser.customers()
    path = f"{FIELDS}/{number_of(world, 'Company')}"
    world.foreseen = FieldChange(
        None, 1_000_000, 20_000, 412, examples=(LostValue(7, "ten <b>euros</b>", "must be a number"),)
    )
    page = browser.send(path, 200, name="Company", type="number")
    assert "412 of 20" in page
    assert "The first 20" in page
    assert "ten &lt;b&gt;euros" in page
    assert world.collections["Customers"].fields[0].type == "text"
    confirmed = re.search(r'name="confirmed" value="(\w+)"', page)
    assert confirmed
    again = browser.send(path, 200, name="Company", type="integer", confirmed=confirmed[1])
    assert "412 of 20" in again, "another change than the one that was shown"
    assert browser.send(path, name="Company", type="number", confirmed=confirmed[1]) == FIELDS
    assert world.collections["Customers"].fields[0].type == "number"


def test_a_change_without_a_cost_is_made_at_once_and_offers_its_undoing(browser: Browser, world: World) -> None:
    browser.customers()
    status = number_of(world, "Status")
    assert browser.send(f"{FIELDS}/{status}", name="State", type="choice", choices="Lead, Active, Lost") == FIELDS
    assert "State" in names(world)
    page = browser.open(FIELDS)
    entry = next(iter(world.trash))
    assert "Field changed." in page
    assert f'action="/trash/{entry}/restore"' in page
    assert browser.send(f"/trash/{entry}/restore") == "/trash"
    page = browser.open("/trash")
    assert "Restored." in page
    assert "The trash is empty" in page


def test_choices_with_a_comma_survive_a_form_that_leaves_them_alone(browser: Browser, world: World) -> None:
    browser.customers()
    customers, number = world.collections["Customers"], number_of(world, "Status")
    fields = [
        msgspec.structs.replace(one, choices=("Smith, John", "b")) if one.id == number else one
        for one in customers.fields
    ]
    FakeFields(world).put(customers, fields)
    browser.send(f"{FIELDS}/{number}", name="Status", type="choice", choices="Smith, John, b", required="true")
    changed = next(one for one in world.collections["Customers"].fields if one.id == number)
    assert (changed.choices, changed.required) == (("Smith, John", "b"), True)


def test_a_field_is_deleted_and_the_last_one_stays(browser: Browser, world: World) -> None:
    browser.customers()
    for name in names(world)[1:]:
        assert browser.send(f"{FIELDS}/{number_of(world, name)}/delete") == FIELDS
    page = browser.send(f"{FIELDS}/{number_of(world, 'Company')}/delete", 409)
    assert "only field" in page
    browser.open(f"{FIELDS}/999", 404)


def test_a_collection_is_renamed(browser: Browser) -> None:
    browser.customers()
    page = browser.send("/collections/Customers/settings", 422, name="a/b", description="x")
    assert 'value="a/b"' in page
    target = browser.send("/collections/Customers/settings", name="Clients", description="x")
    assert target == "/collections/Clients/fields"
    assert "Collection changed." in browser.open(target)


def test_what_cannot_come_back_says_why(browser: Browser, world: World) -> None:
    browser.customers()
    browser.send(f"{FIELDS}/{number_of(world, 'Status')}/delete")
    entry, item = next(iter(world.trash.items()))
    world.trash[entry] = msgspec.structs.replace(item, restorable=False, reason="Its collection is deleted.")
    browser.open("/")  # takes the notice
    page = browser.open("/trash?q=status")
    assert "Its collection is deleted." in page
    assert f"/trash/{entry}/restore" not in page
    assert "It was not restored" in browser.send(f"/trash/{entry}/restore", 409)
    assert "Nothing in the trash matches" in browser.open("/trash?q=nothing")


def test_members_see_fields_and_the_trash_and_viewers_only_fields(browser: Browser, world: World) -> None:
    browser.customers()
    world.role = Role.MEMBER
    assert "Add a field" not in browser.open(FIELDS)
    browser.send("/collections/Customers/new-field", 403, name="Due", type="date")
    assert "/trash" in browser.open("/trash")
    world.role = Role.VIEWER
    assert 'href="/trash"' not in browser.open(FIELDS)
    browser.open("/trash", 403)
