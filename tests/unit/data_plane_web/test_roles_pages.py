"""The pages of roles, and how pages look for who has one of the workspace's own."""

import msgspec
import pytest
from unit.data_plane_web.browser import Browser
from unit.data_plane_web.fakes import NOW, World
from vivero_data.domain.collections.schemas import NewField
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.roles.rights import CollectionRights, OwnRole, Right
from vivero_data.domain.users.schemas import GivenRole, Role, User
from vivero_data.domain.views.schemas import NewView, View

FIELDS = (NewField(name="Name", type=FieldType.TEXT),)


@pytest.fixture(autouse=True)
def shop(world: World) -> None:
    for name in ("Orders", "Salaries"):
        world.keep(name, FIELDS, [{"Name": f"One of {name}"}])


def only(right: Right) -> CollectionRights:
    return msgspec.structs.replace(CollectionRights(), **{right.value: True})


def number(world: World, name: str) -> int:
    return world.collections[name].id


def test_a_role_is_made_changed_and_deleted(browser: Browser, world: World) -> None:
    assert "No roles of your own yet" in browser.open("/roles")
    browser.send("/roles/new", 303, **{"name": "Sales", f"change-{number(world, 'Orders')}": "true"})
    (role,) = world.roles.values()
    assert role.collections == {number(world, "Orders"): CollectionRights(change=True)}
    page = browser.open(f"/roles/{role.id}")
    assert page.count(" checked") == 2  # a tick shows the collection, too
    browser.send(
        f"/roles/{role.id}", 303, **{"name": "Sales", "files": "true", f"read-{number(world, 'Salaries')}": "true"}
    )
    assert world.roles[role.id] == OwnRole(
        role.id, "Sales", files=True, collections={number(world, "Salaries"): CollectionRights()}
    )
    browser.send(f"/roles/{role.id}/delete", 303)
    assert world.roles == {}


def test_what_was_ticked_stays_when_the_name_is_refused(browser: Browser, world: World) -> None:
    name = f"export-{number(world, 'Orders')}"
    page = browser.send("/roles/new", 422, **{"name": "Owner", name: "true"})
    assert "a role that every workspace has" in page
    assert f'name="{name}" value="true"' in page
    assert page.count(" checked") == 1


def test_a_role_is_given_with_an_invitation_and_on_the_page_of_a_user(browser: Browser, world: World) -> None:
    world.roles[7] = OwnRole(7, "Sales <b>", collections={})
    world.mail = True
    assert "Sales &lt;b&gt;" in browser.open("/users/new")
    browser.send("/users/new", 303, email="sam@example.com", name="Sam", role="own-7")
    sam = next(one for one in world.users.values() if one.email == "sam@example.com")
    assert (sam.role, sam.own_role) == (Role.OWN, GivenRole(7, "Sales <b>"))
    assert 'value="own-7" class="radio radio-sm radio-primary mt-0.5" checked' in browser.open(f"/users/{sam.id}")
    assert "Sales &lt;b&gt;" in browser.open("/users")
    browser.send(f"/users/{sam.id}", 303, name="Sam", role="member")
    assert world.users[sam.id].own_role is None


def test_a_role_that_people_have_says_who(browser: Browser, world: World) -> None:
    world.roles[7] = OwnRole(7, "Sales", collections={})
    world.users[9] = User(
        9, "sam@example.com", "", Role.OWN, active=True, created_at=NOW, own_role=GivenRole(7, "Sales")
    )
    assert "sam@example.com" in browser.send("/roles/7/delete", 409)
    assert 7 in world.roles


@pytest.mark.parametrize(
    ("right", "shown"),
    [
        (Right.CREATE, "New record"),
        (Right.CHANGE, "data-writable"),
        (Right.EXPORT, "Excel (XLSX)"),
    ],
)
def test_a_table_offers_what_the_role_may_do(browser: Browser, world: World, right: Right, shown: str) -> None:
    world.role = Role.OWN
    for given in Right:
        world.own = OwnRole(7, "Sales", collections={number(world, "Orders"): only(given)})
        assert (shown in browser.open("/collections/Orders")) is (given is right)


def test_a_record_is_deleted_and_changed_by_who_may(browser: Browser, world: World) -> None:
    world.role = Role.OWN
    for given in Right:
        world.own = OwnRole(7, "Sales", collections={number(world, "Orders"): only(given)})
        page = browser.open("/collections/Orders/records/1")
        assert ("Delete record" in page) is (given is Right.DELETE)
        assert ('name="version"' in page) is (given is Right.CHANGE)
        assert ("Add a comment" in page) is (given is Right.CHANGE)


def test_files_are_offered_to_who_has_them(browser: Browser, world: World) -> None:
    world.role = Role.OWN
    for files in (True, False):
        world.own = OwnRole(7, "Sales", files=files)
        assert ('href="/files"' in browser.open("/")) is files


def test_a_page_for_what_a_role_may_not_is_refused_with_its_name(browser: Browser, world: World) -> None:
    world.role = Role.OWN
    world.own = OwnRole(7, "Sales", collections={number(world, "Orders"): only(Right.CHANGE)})
    for path in ("/collections/Orders/new", "/collections/Orders/records/1/delete"):
        assert "Your role Sales may not" in browser.open(path, status=403)


def test_a_read_only_field_is_shown_and_not_asked_for(browser: Browser, world: World) -> None:
    fields = (*FIELDS, NewField(name="Price", type=FieldType.INTEGER))
    world.keep("Orders", fields, [{"Name": "Plum", "Price": 7}])
    price = world.collections["Orders"].fields[1].id
    world.role = Role.OWN
    rights = CollectionRights(create=True, change=True, read_only=frozenset({price}))
    world.own = OwnRole(7, "Sales", collections={number(world, "Orders"): rights})
    for path in ("/collections/Orders/new", "/collections/Orders/records/1"):
        page = browser.open(path)
        assert "read only for your role" in page
        assert f'name="f{price}"' not in page
    assert f'data-editor="{price}"' not in browser.open("/collections/Orders")
    browser.send("/collections/Orders/new", 303, **{f"f{world.collections['Orders'].fields[0].id}": "Fig"})


def test_fields_and_records_of_a_role_are_chosen_and_kept_by_the_matrix(browser: Browser, world: World) -> None:
    fields = (*FIELDS, NewField(name="Boss", type=FieldType.PERSON), NewField(name="Pay", type=FieldType.INTEGER))
    world.keep("Orders", fields, [])
    orders = world.collections["Orders"]
    name, boss, pay = (field.id for field in orders.fields)
    world.roles[7] = OwnRole(7, "Sales", collections={orders.id: only(Right.CHANGE)})
    address = f"/roles/7/collections/{orders.id}"
    assert "Those whose Boss is the person who looks" in browser.open(address)
    form = {f"field-{pay}": "hidden", f"field-{name}": "read_only", "rows": f"me-{boss}"}
    browser.send(address, 303, **form)
    wanted = CollectionRights(
        change=True,
        hidden=frozenset({pay}),
        read_only=frozenset({name}),
        where={"field": f"f{boss}", "operator": "eq", "value": "me"},
    )
    assert world.roles[7].collections == {orders.id: wanted}
    page = browser.open(address)
    assert f'value="me-{boss}" class="radio radio-sm radio-primary" checked' in page
    assert "1 hidden, 1 read only, some records" in browser.open("/roles/7")
    browser.send("/roles/7", 303, **{"name": "Sales", f"create-{orders.id}": "true"})
    kept = msgspec.structs.replace(wanted, create=True, change=False)
    assert world.roles[7].collections == {orders.id: kept}
    every = {f"field-{field.id}": "hidden" for field in orders.fields}
    assert "must leave a field" in browser.send(address, 422, **every)
    browser.open(f"/roles/7/collections/{number(world, 'Salaries')}", status=404)


def test_the_filter_of_a_shared_view_narrows_a_role(browser: Browser, world: World) -> None:
    orders = world.collections["Orders"]
    where = {"field": "Name", "operator": "starts", "value": "A"}
    new = msgspec.structs.asdict(NewView(name="Begins with A", shared=True, where=where))
    made = View(
        **{**new, "id": 5, "position": 5},
        owner_id=1,
        gone=(),
        broken=False,
        problems=(),
        created_at=NOW,
        updated_at=NOW,
    )
    world.views[5] = ("Orders", made)
    world.roles[7] = OwnRole(7, "Sales", collections={orders.id: CollectionRights()})
    page = browser.open(f"/roles/7/collections/{orders.id}")
    found = page.partition("What the view Begins with A lets through now")[0].rpartition('value="')[2].partition('"')[0]
    browser.send(f"/roles/7/collections/{orders.id}", 303, rows=found)
    assert world.roles[7].collections[orders.id].where == {**where, "field": f"f{orders.fields[0].id}"}
