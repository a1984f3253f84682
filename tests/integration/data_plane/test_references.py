"""Links to records and people: what they lead to is there, is called by name, and leads back."""

from decimal import Decimal
from typing import Any

import pytest
from integration.data_plane.workspace import Workspace
from vivero_data.lib.json import decode

ORDERS = "/api/v1/collections/Orders/records"
CUSTOMERS = "/api/v1/collections/Customers/records"


async def made(
    workspace: Workspace, headers: dict[str, str], path: str, values: dict[str, Any], status: int = 201
) -> Any:  # noqa: ANN401  a JSON body
    answer = await workspace.client.post(path, json={"values": values}, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()


@pytest.fixture
async def orders(workspace: Workspace, owner: dict[str, str]) -> Workspace:
    """Customers Acme and Bloom, and a collection of orders, which link to them and to a person."""
    await workspace.collection(owner, {"name": "Company", "type": "text"}, name="Customers")
    for name in ("Acme", "Bloom"):
        await made(workspace, owner, CUSTOMERS, {"Company": name})
    listed = (await workspace.client.get("/api/v1/collections/Customers", headers=owner)).json()
    await workspace.collection(
        owner,
        {"name": "Number", "type": "text"},
        {"name": "Customer", "type": "link", "options": {"collection": listed["id"]}},
        {"name": "Seller", "type": "person"},
        name="Orders",
    )
    return workspace


async def test_a_link_is_read_with_what_it_leads_to(orders: Workspace, owner: dict[str, str]) -> None:
    order = await made(orders, owner, ORDERS, {"Number": "A1", "Customer": 1, "Seller": {"id": 1}})
    assert order["values"]["Customer"] == {"id": 1, "title": "Acme"}
    assert order["values"]["Seller"]["id"] == 1
    assert order["values"]["Seller"]["title"]
    again = await orders.client.patch(f"{ORDERS}/1", json={"values": order["values"]}, headers=owner)
    assert (again.status_code, again.json()["version"]) == (200, 1), "what is read can be written again"
    await orders.client.patch(f"{CUSTOMERS}/1", json={"values": {"Company": "Acme & Co"}}, headers=owner)
    for path in (f"{ORDERS}/1", ORDERS):
        answer = (await orders.client.get(path, headers=owner)).json()
        record = answer["items"][0] if "items" in answer else answer
        assert record["values"]["Customer"] == {"id": 1, "title": "Acme & Co"}
    await made(orders, owner, ORDERS, {"Number": "A2", "Customer": "Bloom #2"})
    found = (await orders.client.get(ORDERS, params={"filter": "Customer:eq:2"}, headers=owner)).json()["items"]
    assert [one["values"]["Number"] for one in found] == ["A2"]


async def test_a_link_that_leads_nowhere_is_refused_and_one_to_a_deleted_record_says_so(
    orders: Workspace, owner: dict[str, str]
) -> None:
    for values, field in (({"Customer": 99}, "Customer"), ({"Seller": 99}, "Seller")):
        answer = await made(orders, owner, ORDERS, values, status=422)
        assert [error["field"] for error in answer["errors"]] == [field]
    batch = {"create": [{"values": {"Customer": 1}}, {"values": {"Customer": 99}}]}
    refused = await orders.client.post(f"{ORDERS}/batch", json=batch, headers=owner)
    assert refused.status_code in {409, 422}
    assert [error["field"] for error in refused.json()["errors"]] == ["create[1].values.Customer"]
    path = f"{ORDERS}/{(await made(orders, owner, ORDERS, {'Number': 'A1', 'Customer': 1}))['id']}"
    await orders.client.delete(f"{CUSTOMERS}/1", headers=owner)
    order = (await orders.client.get(path, headers=owner)).json()
    assert order["values"]["Customer"] == {"id": 1, "title": None}
    assert "Number 1, deleted" in (await orders.client.get("/collections/Orders", headers=owner)).text
    kept = await orders.client.patch(path, json={"values": {**order["values"], "Number": "A9"}}, headers=owner)
    assert kept.status_code == 200, "a link that was there stays"


async def test_a_record_shows_what_leads_to_it(orders: Workspace, owner: dict[str, str]) -> None:
    rows = [{"values": {"Number": f"A{number}", "Customer": 1}} for number in range(12)]
    await orders.client.post(f"{ORDERS}/batch", json={"create": rows}, headers=owner)
    answer = (await orders.client.get(f"{CUSTOMERS}/1/related", headers=owner)).json()["items"]
    assert [(one["collection"], one["field"], len(one["records"]), one["more"]) for one in answer] == [
        ("Orders", "Customer", 10, True)
    ]
    assert answer[0]["records"][0] == {"id": 12, "title": "A11"}
    assert (await orders.client.get(f"{CUSTOMERS}/2/related", headers=owner)).json()["items"] == []
    page = (await orders.client.get("/collections/Customers/records/1", headers=owner)).text
    assert "A11" in page
    assert "/collections/Orders?filter=Customer%3Aeq%3A1" in page


async def test_what_to_link_to_is_found_by_its_name_or_number(orders: Workspace, owner: dict[str, str]) -> None:
    await made(orders, owner, CUSTOMERS, {"Company": "The Acme Shop"})

    async def found(words: str, path: str = "/api/v1/collections/Customers/titles") -> list[str]:
        answer = await orders.client.get(path, params={"q": words}, headers=owner)
        assert answer.status_code == 200, answer.text
        return [one["title"] for one in answer.json()["items"]]

    assert await found("acme") == ["Acme", "The Acme Shop"]
    assert await found("2") == ["Bloom"]
    assert await found("") == ["The Acme Shop", "Bloom", "Acme"]
    assert await found("%") == []
    assert await found("owner", "/api/v1/people") == await found("", "/links/people")
    assert await found("cust", "/links") == ["Customers"]
    followed = await orders.client.get("/links/1/2", headers=owner)
    assert (followed.status_code, followed.headers["location"]) == (303, "/collections/Customers/records/2")


async def test_a_link_names_a_collection_that_is_there(workspace: Workspace, owner: dict[str, str]) -> None:
    for options in ({}, {"collection": 99}):
        body = {"name": "Odd", "fields": [{"name": "L", "type": "link", "options": options}]}
        answer = await workspace.client.post("/api/v1/collections", json=body, headers=owner)
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == ["fields[0].options.collection"]


async def test_a_person_finds_what_is_theirs(orders: Workspace, owner: dict[str, str]) -> None:
    member = await orders.user(owner, "member")
    own = (await orders.client.get("/api/v1/me", headers=member)).json()["id"]
    for number, seller in (("A1", 1), ("A2", own), ("A3", None)):
        await made(orders, owner, ORDERS, {"Number": number, "Seller": seller})

    async def found(headers: dict[str, str], **params: str) -> list[str]:
        answer = await orders.client.get(ORDERS, params=params, headers=headers)
        assert answer.status_code == 200, answer.text
        return [one["values"]["Number"] for one in answer.json()["items"]]

    where = '{"any":[{"field":"Seller","operator":"eq","value":"me"},{"field":"Seller","operator":"empty"}]}'
    assert await found(owner, filter="Seller:eq:me") == ["A1"]
    assert await found(member, filter="Seller:eq:me") == ["A2"]
    assert await found(member, where=where) == ["A2", "A3"]
    count = await orders.client.get(f"{ORDERS}/count", params={"filter": "Seller:eq:me"}, headers=member)
    assert count.json()["count"] == 1
    refused = await orders.client.post(ORDERS, json={"values": {"Seller": "me"}}, headers=owner)
    assert refused.status_code == 422


LINES = "/api/v1/collections/Lines/records"


@pytest.fixture
async def lines(orders: Workspace, owner: dict[str, str]) -> Workspace:
    """Orders with their customer's company, and what their lines add up to."""
    fields = (await orders.client.get("/api/v1/collections/Orders", headers=owner)).json()["fields"]
    orders_id = (await orders.client.get("/api/v1/collections/Orders", headers=owner)).json()["id"]
    company = (await orders.client.get("/api/v1/collections/Customers", headers=owner)).json()["fields"][0]["id"]
    await orders.collection(
        owner,
        {"name": "What", "type": "text"},
        {"name": "Price", "type": "money", "options": {"currency": "EUR"}},
        {"name": "Order", "type": "link", "options": {"collection": orders_id}},
        name="Lines",
    )
    _, price, order = (await orders.client.get("/api/v1/collections/Lines", headers=owner)).json()["fields"]
    wanted = [
        {"name": "Company", "type": "lookup", "options": {"link": fields[1]["id"], "field": company}},
        {"name": "Lines", "type": "rollup", "options": {"link": order["id"]}},
        *(
            {"name": figure, "type": "rollup", "options": {"link": order["id"], "field": price["id"], "figure": figure}}
            for figure in ("sum", "average", "min", "max")
        ),
    ]
    for field in wanted:
        added = await orders.client.post("/api/v1/collections/Orders/fields", json=field, headers=owner)
        assert added.status_code in {200, 201}, added.text
    return orders


async def test_what_is_read_through_a_link_is_never_stale(lines: Workspace, owner: dict[str, str]) -> None:
    order = (await made(lines, owner, ORDERS, {"Number": "A1", "Customer": 1}))["id"]
    empty = (await made(lines, owner, ORDERS, {"Number": "A2"}))["id"]
    for price in (0.1, 0.2, 12):
        await made(lines, owner, LINES, {"What": "x", "Price": price, "Order": order})

    async def read(number: int) -> dict[str, Any]:
        answer = await lines.client.get(ORDERS, params={"filter": f"id:eq:{number}"}, headers=owner)
        values = decode(answer.content)["items"][0]["values"]
        return {name: values[name] for name in ("Company", "Lines", "sum", "average", "min", "max")}

    figures = {"Lines": 3, "sum": Decimal("12.3"), "average": Decimal("4.1"), "min": Decimal("0.1"), "max": 12}
    assert await read(order) == {"Company": "Acme", **figures}
    assert await read(empty) == {"Company": None, "Lines": 0, "sum": None, "average": None, "min": None, "max": None}
    await lines.client.patch(f"{CUSTOMERS}/1", json={"values": {"Company": "Acme & Co"}}, headers=owner)
    await lines.client.delete(f"{LINES}/3", headers=owner)
    assert await read(order) == {
        "Company": "Acme & Co",
        **figures,
        "Lines": 2,
        "sum": Decimal("0.3"),
        "average": Decimal("0.15"),
        "max": Decimal("0.2"),
    }
    assert "Acme &amp; Co" in (await lines.client.get("/collections/Orders", headers=owner)).text
    assert (await lines.client.get(f"/collections/Orders/records/{order}", headers=owner)).status_code == 200


async def test_what_is_read_through_a_link_is_neither_written_nor_searched(
    lines: Workspace, owner: dict[str, str]
) -> None:
    refused = await made(lines, owner, ORDERS, {"sum": 7}, status=422)
    assert [error["field"] for error in refused["errors"]] == ["sum"]
    for params in ({"filter": "sum:gt:1"}, {"sort": "sum"}, {"filter": "Company:filled"}):
        assert (await lines.client.get(ORDERS, params=params, headers=owner)).status_code == 422
    order = await made(lines, owner, ORDERS, {"Number": "A1", "Customer": 1})
    back = await lines.client.patch(f"{ORDERS}/{order['id']}", json={"values": order["values"]}, headers=owner)
    assert (back.status_code, back.json()["version"]) == (200, 1), "what is read can be sent back"
    fields = "/api/v1/collections/Orders/fields"
    gone = await lines.client.delete(f"{fields}/sum", headers=owner)
    assert gone.status_code == 200, gone.text
    assert (await lines.client.get(ORDERS, headers=owner)).status_code == 200
    back = await lines.client.post(f"/api/v1/trash/{gone.json()['undo']}/restore", headers=owner)
    assert back.status_code in {200, 201}, back.text
    await lines.client.delete("/api/v1/collections/Lines", headers=owner)
    order = await made(lines, owner, ORDERS, {"Number": "A9"})
    assert (order["values"]["Lines"], order["values"]["sum"]) == (0, None)


async def test_a_lookup_and_a_rollup_fit_what_they_read(lines: Workspace, owner: dict[str, str]) -> None:
    orders = (await lines.client.get("/api/v1/collections/Orders", headers=owner)).json()["fields"]
    what, _, order = (await lines.client.get("/api/v1/collections/Lines", headers=owner)).json()["fields"]
    named = {one["name"]: one["id"] for one in orders}
    for kind, options, place in (
        ("lookup", {}, "link"),
        ("lookup", {"link": named["Number"], "field": 1}, "link"),
        ("lookup", {"link": named["Customer"], "field": named["Number"]}, "field"),
        ("rollup", {"link": named["Customer"]}, "link"),
        ("rollup", {"link": order["id"], "figure": "sum"}, "field"),
        ("rollup", {"link": order["id"], "field": what["id"], "figure": "sum"}, "figure"),
        ("rollup", {"link": order["id"], "field": named["sum"], "figure": "max"}, "field"),
    ):
        body = {"name": "Odd", "type": kind, "options": options}
        answer = await lines.client.post("/api/v1/collections/Orders/fields", json=body, headers=owner)
        assert answer.status_code == 422, (options, answer.text)
        assert f"options.{place}" in {error["field"] for error in answer.json()["errors"]}, (options, answer.text)


async def test_a_stream_has_what_is_read_through_links(lines: Workspace, owner: dict[str, str]) -> None:
    await made(lines, owner, ORDERS, {"Number": "A1", "Customer": 2})
    await made(lines, owner, "/api/v1/collections/Lines/records", {"What": "Pot", "Price": 3, "Order": 1})
    path = "/api/v1/collections/Orders/export"
    (row,) = (await lines.client.get(path, params={"format": "json"}, headers=owner)).json()
    assert (row["Company"], row["Lines"], Decimal(str(row["sum"]))) == ("Bloom", 1, Decimal(3))


async def test_who_asks_is_meant_wherever_a_condition_says_me(orders: Workspace, owner: dict[str, str]) -> None:
    other = await orders.user(owner, "member")
    for number, seller in (("A1", 1), ("A2", 2), ("A3", 1)):
        await made(orders, owner, ORDERS, {"Number": number, "Seller": seller})
    mine = {"filter": "Seller:eq:me"}
    for headers, expected in ((owner, ["A1", "A3"]), (other, ["A2"])):
        listed = (await orders.client.get(ORDERS, params=mine, headers=headers)).json()["items"]
        assert [one["values"]["Number"] for one in listed] == expected
        exported = await orders.client.get(
            "/api/v1/collections/Orders/export", params={"format": "json", **mine}, headers=headers
        )
        assert [one["Number"] for one in exported.json()] == expected
    page = await orders.client.get(
        "/collections/Orders/records/1",
        params={"shown": "filter=Seller:eq:me"},
        headers={**owner, "accept": "text/html"},
    )
    assert "/collections/Orders/records/3?" in page.text, "the next one of the list"
    assert "/collections/Orders/records/2?" not in page.text
