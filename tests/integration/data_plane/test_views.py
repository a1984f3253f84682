"""Saved views on the real database: what they show, who sees them, and what becomes of them when fields change."""

from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from integration.data_plane.workspace import Workspace
from vivero_data.domain.views import service
from vivero_data.lib.json import decode, encode

PATH: Final = "/api/v1/collections/Orders/views"
RECORDS: Final = "/api/v1/collections/Orders/records"
FIELDS: Final = (
    {"name": "Customer", "type": "text"},
    {"name": "Amount", "type": "number"},
    {"name": "State", "type": "choice", "choices": ["open", "paid"]},
    {"name": "Note", "type": "long_text"},
)
ROWS: Final = (("Ada", 30, "open"), ("Grace", 20, "paid"), ("Alan", 10, "open"), ("Grace", 5, "open"), ("Bo", 7, None))
OPEN: Final = {"field": "State", "operator": "eq", "value": "open"}


@pytest.fixture
async def orders(workspace: Workspace, owner: dict[str, str]) -> Workspace:
    await workspace.collection(owner, *FIELDS, name="Orders")
    rows = [{"values": {"Customer": who, "Amount": amount, "State": state}} for who, amount, state in ROWS]
    answer = await workspace.client.post(f"{RECORDS}/batch", json={"create": rows}, headers=owner)
    assert answer.status_code == 200, answer.text
    return workspace


async def save(orders: Workspace, headers: dict[str, str], status: int = 201, **view: Any) -> dict[str, Any]:  # noqa: ANN401  any JSON
    answer = await orders.client.post(
        PATH, content=encode(view), headers={**headers, "content-type": "application/json"}
    )
    assert answer.status_code == status, answer.text
    return dict(decode(answer.content))


async def change(
    orders: Workspace, headers: dict[str, str], number: int, status: int = 200, **changes: object
) -> dict[str, Any]:
    answer = await orders.client.patch(f"{PATH}/{number}", json=changes, headers=headers)
    assert answer.status_code == status, answer.text
    return dict(decode(answer.content))


async def names(orders: Workspace, headers: dict[str, str]) -> list[str]:
    answer = await orders.client.get(PATH, headers=headers)
    assert answer.status_code == 200, answer.text
    return [view["name"] for view in answer.json()["items"]]


async def customers(orders: Workspace, headers: dict[str, str], **params: Any) -> list[str]:  # noqa: ANN401  a query's values
    answer = await orders.client.get(RECORDS, params=params, headers=headers)
    assert answer.status_code == 200, answer.text
    return [item["values"]["Customer"] for item in answer.json()["items"]]


async def test_a_list_is_seen_through_a_view(orders: Workspace, owner: dict[str, str]) -> None:
    view = await save(orders, owner, name="Open", where={"all": [OPEN]}, sort=["-Amount"], search="a", shared=True)
    assert await customers(orders, owner, view="open") == ["Ada", "Alan", "Grace"]
    assert await customers(orders, owner, view="Open", sort="Amount", filter="Amount:gte:10") == ["Alan", "Ada"]
    counted = await orders.client.get(f"{RECORDS}/count", params={"view": "Open"}, headers=owner)
    assert counted.json() == {"count": 3, "exact": True}
    await change(orders, owner, view["id"], where=None, sort=["Customer"], group_by="State", search="")
    assert await customers(orders, owner, view="Open") == ["Bo", "Ada", "Alan", "Grace", "Grace"]
    answer = await orders.client.get(RECORDS, params={"view": "Nothing"}, headers=owner)
    assert answer.status_code == 404


async def test_a_view_comes_back_as_it_was_saved(orders: Workspace, owner: dict[str, str]) -> None:
    said: dict[str, Any] = {
        "name": "Everything",
        "columns": [{"field": "Amount", "width": 120}, {"field": "created_at", "width": None}, {"field": "Customer"}],
        "where": {"any": [OPEN, {"not": {"field": "Amount", "operator": "in", "value": ["0.10", "7"]}}]},
        "search": "a b",
        "sort": ["-Amount", "updated_at"],
        "group_by": "State",
        "sums": {"Amount": "avg", "Customer": "count", "State": "max"},
        "shared": True,
        "default": True,
        "position": 4,
    }
    saved = await save(orders, owner, **said)
    found = decode((await orders.client.get(f"{PATH}/{saved['id']}", headers=owner)).content)
    assert found == saved
    columns = [*said["columns"][:2], {"field": "Customer", "width": None}]
    assert {name: found[name] for name in said} == {**said, "columns": columns}
    assert (found["gone"], found["broken"]) == ([], False)


async def test_totals_are_of_all_that_a_view_shows(orders: Workspace, owner: dict[str, str]) -> None:
    sums = {"Amount": "avg", "Customer": "max", "State": "count", "Note": "count", "created_at": "min", "id": "sum"}
    view = await save(orders, owner, name="Open", where=OPEN, sums=sums)

    async def totals() -> dict[str, Any]:
        answer = await orders.client.get(f"{PATH}/{view['id']}/totals", headers=owner)
        assert answer.status_code == 200, answer.text
        return dict(decode(answer.content)["totals"])

    found = await totals()
    assert found.pop("created_at").startswith("20")
    assert found == {"Amount": 15, "Customer": "Grace", "State": 3, "Note": 0, "id": 8}
    await change(orders, owner, view["id"], where={**OPEN, "value": "paid"}, sums={"Amount": "sum", "Note": "count"})
    assert await totals() == {"Amount": 20, "Note": 0}
    await change(orders, owner, view["id"], search="nobody", sums={"Amount": "sum"})
    assert await totals() == {"Amount": None}


async def test_there_is_one_default_and_new_views_are_last(orders: Workspace, owner: dict[str, str]) -> None:
    first = await save(orders, owner, name="B", shared=True, default=True)
    second = await save(orders, owner, name="A", shared=True, default=True)
    assert await names(orders, owner) == ["B", "A"]
    assert not decode((await orders.client.get(f"{PATH}/{first['id']}", headers=owner)).content)["default"]
    await change(orders, owner, second["id"], position=0)
    await change(orders, owner, first["id"], position=9)
    assert await names(orders, owner) == ["A", "B"]
    await change(orders, owner, second["id"], 422, shared=False, default=True)
    assert (await change(orders, owner, second["id"], shared=False))["default"] is False


async def test_views_come_in_pages(orders: Workspace, owner: dict[str, str]) -> None:
    for number in range(5):
        await save(orders, owner, name=f"V{number}", position=1)
    found: list[str] = []
    params: dict[str, Any] = {"limit": 2}
    while True:
        page = (await orders.client.get(PATH, params=params, headers=owner)).json()
        found += [view["name"] for view in page["items"]]
        if not page.get("next_cursor"):
            break
        params["cursor"] = page["next_cursor"]
    assert found == ["V0", "V1", "V2", "V3", "V4"]


async def test_a_personal_view_is_its_owners_alone(orders: Workspace, owner: dict[str, str]) -> None:
    ada, bob = await orders.user(owner, "viewer"), await orders.user(owner, "admin")
    own = await save(orders, ada, name="Secret", where=OPEN)
    shared = await save(orders, owner, name="Secret", sort=["Amount"], shared=True)
    assert await names(orders, ada) == ["Secret", "Secret"]
    assert await customers(orders, ada, view="Secret") == ["Ada", "Alan", "Grace"], "one's own goes first"
    for other in (bob, owner):
        assert await names(orders, other) == ["Secret"]
        assert await customers(orders, other, view="Secret") == ["Grace", "Bo", "Alan", "Grace", "Ada"]
        await save(orders, other, name="secret ")
        for method, body in (("GET", None), ("PATCH", {"name": "Mine"}), ("DELETE", None)):
            answer = await orders.client.request(method, f"{PATH}/{own['id']}", headers=other, json=body)
            assert answer.status_code == 404
    log = (await orders.client.get("/api/v1/audit", headers=owner)).text
    assert log.count('"view.create"') == 4
    assert log.count("Orders/Secret") == 1, "only the shared one is named"
    await change(orders, ada, own["id"], 403, shared=True)
    await change(orders, ada, shared["id"], 403, name="Mine")
    assert (await orders.client.delete(f"{PATH}/{shared['id']}", headers=bob)).status_code == 204
    assert await names(orders, ada) == ["Secret"]


async def test_who_may_share_and_choose_the_first(orders: Workspace, owner: dict[str, str]) -> None:
    viewer, member = await orders.user(owner, "viewer"), await orders.user(owner, "member")
    await save(orders, viewer, 403, name="A", shared=True)
    await save(orders, member, 403, name="A", shared=True, default=True)
    mine = await save(orders, member, name="A", shared=True)
    await change(orders, member, mine["id"], 403, default=True)
    await change(orders, member, mine["id"], name="B")
    other = await orders.user(owner, "member")
    await change(orders, other, mine["id"], 403, name="C")
    await change(orders, owner, mine["id"], default=True)
    await change(orders, owner, mine["id"], 403, shared=False, default=False)


async def test_names_are_different_and_views_bounded(
    orders: Workspace, owner: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    await save(orders, owner, name="Größe", shared=True)
    taken = await save(orders, owner, 409, name="GRÖSSE", shared=True)
    assert [error["field"] for error in taken["errors"]] == ["name"]
    other = await save(orders, owner, name="Other", shared=True)
    await change(orders, owner, other["id"], 409, name="größe")
    monkeypatch.setattr(service, "MAX_VIEWS", 2)
    await save(orders, owner, 409, name="Third", shared=True)
    await save(orders, owner, name="Own", shared=False)


async def test_a_view_outlives_its_fields(orders: Workspace, owner: dict[str, str]) -> None:
    view = await save(
        orders,
        owner,
        name="All",
        columns=[{"field": "Note"}, {"field": "Amount"}],
        where=OPEN,
        sort=["-Amount", "Customer"],
        group_by="State",
        sums={"Amount": "sum", "Customer": "count"},
    )
    async with orders.app.state.services.database.read() as connection:
        await connection.execute("UPDATE fields SET label = 'Status', name = 'Status' WHERE name = 'State'")
        await connection.execute("DELETE FROM fields WHERE name = 'Amount'")
    found = decode((await orders.client.get(f"{PATH}/{view['id']}", headers=owner)).content)
    assert (found["gone"], found["broken"]) == (["Amount"], False)
    assert found["columns"] == [{"field": "Note", "width": None}]
    assert (found["where"], found["group_by"]) == ({**OPEN, "field": "Status"}, "Status")
    assert (found["sort"], found["sums"]) == (["Customer"], {"Customer": "count"})
    assert await customers(orders, owner, view="All") == ["Ada", "Alan", "Grace"]
    found = await change(orders, owner, view["id"], sort=["Customer"], columns=[], sums={})
    assert found["gone"] == [], "nothing of it is used any more"
    async with orders.app.state.services.database.read() as connection:
        await connection.execute("DELETE FROM fields WHERE name = 'Status'")
    found = decode((await orders.client.get(f"{PATH}/{view['id']}", headers=owner)).content)
    assert (found["gone"], found["broken"], found["group_by"]) == (["Status"], True, None)
    answer = await orders.client.get(RECORDS, params={"view": "All"}, headers=owner)
    assert (answer.status_code, "Status" in answer.json()["detail"]) == (409, True)
    assert not (await change(orders, owner, view["id"], where=None, group_by=None))["broken"]
    assert len(await customers(orders, owner, view="All")) == len(ROWS)


async def test_a_deleted_collection_comes_back_with_its_views(orders: Workspace, owner: dict[str, str]) -> None:
    await save(orders, owner, name="A")
    assert (await orders.client.delete("/api/v1/collections/Orders", headers=owner)).status_code == 204
    entry = (await orders.client.get("/api/v1/trash", headers=owner)).json()["items"][0]["id"]
    assert (await orders.client.post(f"/api/v1/trash/{entry}/restore", headers=owner)).status_code == 200
    assert [one["name"] for one in (await orders.client.get(PATH, headers=owner)).json()["items"]] == ["A"]


async def test_a_shared_view_comes_back_from_the_trash(orders: Workspace, owner: dict[str, str]) -> None:
    view = await save(orders, owner, name="Open", where=OPEN, sort=["-Amount"], shared=True, default=True)
    own = await save(orders, owner, name="Own")
    for one in (view, own):
        assert (await orders.client.delete(f"{PATH}/{one['id']}", headers=owner)).status_code == 204
    (entry,) = (await orders.client.get("/api/v1/trash", headers=owner)).json()["items"]
    assert (entry["kind"], entry["name"], entry["restorable"]) == ("view", "Open", True), "one's own is in no trash"
    other = await save(orders, owner, name="open", shared=True)
    restore = f"/api/v1/trash/{entry['id']}/restore"
    assert (await orders.client.post(restore, headers=owner)).status_code == 409
    await change(orders, owner, other["id"], name="Other")
    viewer = await orders.user(owner, "viewer")
    assert (await orders.client.post(restore, headers=viewer)).status_code == 403
    assert (await orders.client.post(restore, headers=owner)).status_code == 200
    found = decode((await orders.client.get(f"{PATH}/{view['id']}", headers=owner)).content)
    changed = {"default": False, "created_at": found["created_at"], "updated_at": found["updated_at"]}
    assert found == {**view, **changed}
    assert (await orders.client.post(restore, headers=owner)).status_code == 404


HOSTILE: Final = [
    ({"name": ""}, "name"),
    ({"name": "-a"}, "name"),
    ({"name": "a" * 65}, "name"),
    ({"columns": [{"field": "Nothing"}]}, "columns[0].field"),
    ({"columns": [{"field": "Note"}, {"field": "Note "}]}, "columns"),
    ({"columns": [{"field": "Note", "width": 0}]}, "columns[0].width"),
    ({"where": {}}, "where"),
    ({"where": {"all": [OPEN, {**OPEN, "value": "x"}]}}, "where.all[1].value"),
    ({"where": {"field": "`f_1` OR 1", "operator": "eq", "value": "1"}}, "where.field"),
    ({"where": {"field": "f1", "operator": "filled"}}, "where.field"),
    ({"search": "x" * 201}, "search"),
    ({"search": "a b c d e f g h i"}, "search"),
    ({"sort": ["Note"]}, "sort"),
    ({"sort": ["Amount, Customer"]}, "sort"),
    ({"sort": ["Amount", "-Amount"]}, "sort"),
    ({"sort": ["Amount", "Customer", "id"], "group_by": "State"}, "sort"),
    ({"group_by": "Note"}, "group_by"),
    ({"group_by": "x"}, "group_by"),
    ({"sums": {"Customer": "sum"}}, "sums"),
    ({"sums": {"Note": "max"}}, "sums"),
    ({"sums": {"x": "count"}}, "sums"),
    ({"default": True}, "default"),
    ({"position": -1}, "position"),
    ({"kind": "map"}, "kind"),
]


@pytest.mark.parametrize(("part", "place"), HOSTILE)
async def test_what_does_not_fit_is_refused_by_its_place(
    orders: Workspace, owner: dict[str, str], part: dict[str, Any], place: str
) -> None:
    refused = await save(orders, owner, 422, **{"name": "A", **part})
    assert [error["field"] for error in refused["errors"]] == [place]
    assert await names(orders, owner) == []


COLUMN: Final = st.sampled_from(["Customer", "Amount", "State", "Note", "created_at", "Nothing", "f1", "id"])
JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | COLUMN,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["all", "any", "not", "field", "operator", "value"]), inner, max_size=3)
    ),
    max_leaves=8,
)
SPECS: Final = st.fixed_dictionaries(
    {},
    optional={
        "columns": st.lists(st.fixed_dictionaries({"field": COLUMN}), max_size=3) | JSON,
        "where": JSON,
        "search": st.text(max_size=20) | JSON,
        "sort": st.lists(COLUMN, max_size=3) | JSON,
        "group_by": COLUMN | JSON,
        "sums": st.dictionaries(COLUMN, st.sampled_from(["sum", "min", "count"]), max_size=2) | JSON,
        "shared": st.booleans() | JSON,
        "position": st.integers() | JSON,
    },
)


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(SPECS)
async def test_whatever_is_saved_can_be_listed(orders: Workspace, owner: dict[str, str], spec: dict[str, Any]) -> None:
    body = encode({"name": "Any", **spec})
    answer = await orders.client.post(PATH, content=body, headers={**owner, "content-type": "application/json"})
    assert answer.status_code in {201, 400, 422}, answer.text
    if answer.status_code == 201:
        saved = answer.json()
        listed = await orders.client.get(RECORDS, params={"view": "Any"}, headers=owner)
        assert listed.status_code == 200, (spec, listed.text)
        assert (await orders.client.delete(f"{PATH}/{saved['id']}", headers=owner)).status_code == 204


async def test_a_locked_view_is_changed_by_who_manages_collections_alone(
    orders: Workspace, owner: dict[str, str]
) -> None:
    member = await orders.user(owner, "member")
    view = await save(orders, member, name="Ours", shared=True, columns=[{"field": "Customer"}])
    await save(orders, member, 403, name="Mine", shared=True, locked=True)
    await save(orders, owner, 422, name="Mine", locked=True)
    await change(orders, member, view["id"], 403, locked=True)
    assert (await change(orders, owner, view["id"], locked=True))["locked"]
    for changes in ({"name": "X"}, {"widths": {"Customer": 200}}, {"shared": False}, {"locked": False}):
        await change(orders, member, view["id"], 403, **changes)
    assert (await orders.client.delete(f"{PATH}/{view['id']}", headers=member)).status_code == 403
    await change(orders, owner, view["id"], name="Theirs")
    entry = (await orders.client.get("/api/v1/audit", params={"action": "view.update"}, headers=owner)).json()["items"]
    assert [one["after"] for one in entry[:2]] == [{"name": "Theirs"}, {"locked": True}]
    await change(orders, owner, view["id"], locked=False)
    assert (await change(orders, member, view["id"], name="Ours"))["name"] == "Ours"


async def test_a_locked_view_comes_back_locked(orders: Workspace, owner: dict[str, str]) -> None:
    view = await save(orders, owner, name="Ours", shared=True, locked=True)
    await orders.client.delete(f"{PATH}/{view['id']}", headers=owner)
    (entry,) = (await orders.client.get("/api/v1/trash", headers=owner)).json()["items"]
    await orders.client.post(f"/api/v1/trash/{entry['id']}/restore", headers=owner)
    assert decode((await orders.client.get(f"{PATH}/{view['id']}", headers=owner)).content)["locked"]


async def test_a_copy_is_ones_own_and_shows_the_same(orders: Workspace, owner: dict[str, str]) -> None:
    spec: dict[str, Any] = {
        "columns": [{"field": "Amount", "width": 90}],
        "where": OPEN,
        "group_by": "State",
        "folded": ["open"],
    }
    view = await save(orders, owner, name="x" * 64, shared=True, locked=True, default=True, **spec)
    viewer = await orders.user(owner, "viewer")
    for name in ("x" * 59 + " copy", "x" * 57 + " copy 2"):
        answer = await orders.client.post(f"{PATH}/{view['id']}/copy", headers=viewer)
        assert answer.status_code == 201, answer.text
        copy = decode(answer.content)
        assert (copy["name"], copy["shared"], copy["locked"], copy["default"]) == (name, False, False, False)
        assert {part: copy[part] for part in spec} == spec
    assert len(await names(orders, owner)) == 1, "others do not see it"
    await change(orders, viewer, copy["id"], search="a")
    missing = await orders.client.post(f"{PATH}/999/copy", headers=viewer)
    assert missing.status_code == 404
