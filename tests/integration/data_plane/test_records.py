import asyncio
from typing import Any

import pytest
from integration.data_plane.workspace import Workspace

PATH = "/api/v1/collections/Contacts/records"
FIELDS: list[dict[str, Any]] = [
    {"name": "Name", "type": "text", "required": True},
    {"name": "Notes", "type": "long_text"},
    {"name": "Balance", "type": "number"},
    {"name": "Age", "type": "integer"},
    {"name": "Active", "type": "boolean", "default": True},
    {"name": "Born", "type": "date"},
    {"name": "Seen", "type": "datetime"},
    {"name": "Colour", "type": "choice", "choices": ["red", "green"]},
    {"name": "E-mail", "type": "email", "unique": True},
    {"name": "Site", "type": "url"},
]


@pytest.fixture
async def contacts(workspace: Workspace, owner: dict[str, str]) -> Workspace:
    await workspace.collection(owner, *FIELDS)
    return workspace


async def add(workspace: Workspace, headers: dict[str, str], **values: object) -> Any:  # noqa: ANN401  a JSON body
    answer = await workspace.client.post(PATH, json={"values": values}, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_every_type_comes_back_exactly(contacts: Workspace, owner: dict[str, str]) -> None:
    values = {
        "Name": "Ada `'\"; DROP TABLE users; -- %s \\ 🌱",
        "Notes": "line\nline\t\\",
        "Balance": 1234567890123456.12345678,
        "Age": -(2**63),
        "Active": False,
        "Born": "1815-12-10",
        "Seen": "2026-01-02T03:04:05.678901Z",
        "Colour": "green",
        "E-mail": "ada@example.com",
        "Site": "https://example.com/?a=b&c=%20",
    }
    body = {"values": {**values, "Balance": "1234567890123456.12345678"}}
    made = await contacts.client.post(PATH, json=body, headers=owner)
    assert made.status_code == 201, made.text
    assert made.json()["values"] == values
    assert '"Balance":1234567890123456.12345678' in made.text
    assert made.headers["etag"] == '"1"'


async def test_what_is_left_out_is_empty_or_its_default(contacts: Workspace, owner: dict[str, str]) -> None:
    made = await add(contacts, owner, Name="Ada", Notes="")
    assert made["values"]["Active"] is True
    assert made["values"]["Notes"] is None
    assert set(made["values"]) == {field["name"] for field in FIELDS}


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ({}, ["Name"]),
        ({"Name": None}, ["Name"]),
        ({"Name": "x", "Age": "old"}, ["Age"]),
        ({"Name": "x", "Nope": 1, "Born": "soon"}, ["Nope", "Born"]),
        ({"Name": 7, "Colour": "blue"}, ["Name", "Colour"]),
    ],
)
async def test_bad_values_name_their_fields(
    contacts: Workspace, owner: dict[str, str], values: dict[str, Any], fields: list[str]
) -> None:
    answer = await contacts.client.post(PATH, json={"values": values}, headers=owner)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == fields
    assert (await contacts.client.get("/api/v1/usage", headers=owner)).json()["records"]["used"] == 0


async def test_a_unique_value_is_refused_twice(contacts: Workspace, owner: dict[str, str]) -> None:
    await add(contacts, owner, Name="Ada", **{"E-mail": "ada@example.com"})
    other = await add(contacts, owner, Name="Bob", **{"E-mail": "bob@example.com"})
    body = {"values": {"Name": "Eve", "E-mail": "ada@EXAMPLE.com"}}
    again = await contacts.client.post(PATH, json=body, headers=owner)
    assert again.status_code == 409
    assert again.json()["errors"][0]["field"] == "E-mail"
    moved = await contacts.client.patch(
        f"{PATH}/{other['id']}", json={"values": {"E-mail": "ada@example.com"}}, headers=owner
    )
    assert moved.status_code == 409
    await add(contacts, owner, Name="Eve", **{"E-mail": "Ada@example.com"})  # another mailbox
    # Several records without a value are fine.
    await add(contacts, owner, Name="One")
    await add(contacts, owner, Name="Two")


async def test_of_two_changes_of_one_version_one_is_refused(contacts: Workspace, owner: dict[str, str]) -> None:
    made = await add(contacts, owner, Name="Ada")
    path = f"{PATH}/{made['id']}"
    answers = await asyncio.gather(
        *(
            contacts.client.patch(path, json={"values": {"Age": age}, "version": 1}, headers=owner)
            for age in (30, 40, 50)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    stale = {**owner, "if-match": '"1"'}
    assert (await contacts.client.patch(path, json={"values": {"Age": 1}}, headers=stale)).status_code == 412
    refused = await contacts.client.delete(path, headers=stale)
    assert (refused.status_code, refused.headers["content-type"]) == (412, "application/problem+json")
    weak = {**owner, "if-match": '"1", W/"2"'}
    assert (await contacts.client.patch(path, json={"values": {"Age": 2}}, headers=weak)).json()["version"] == 3
    fresh = {**owner, "if-match": '"3"'}
    assert (await contacts.client.patch(path, json={"values": {"Age": 1}}, headers=fresh)).status_code == 200
    odd = await contacts.client.patch(path, json={"values": {"Age": 1}}, headers={**owner, "if-match": "W/x"})
    assert odd.json()["errors"][0]["field"] == "If-Match"
    assert (await contacts.client.delete(path, headers={**owner, "if-match": "*"})).status_code == 204


async def test_pages_are_whole_in_every_order(contacts: Workspace, owner: dict[str, str]) -> None:
    rows = [
        await add(
            contacts,
            owner,
            Name=f"N{number % 4}",
            Balance=None if number % 3 == 0 else number / 4,
            Age=None if number % 5 == 0 else number % 3,
            Born=None if number % 4 == 0 else f"20{number:02}-01-01",
            Seen=f"2026-01-{number + 1:02}T00:00:00.5Z" if number % 2 else None,
            Active=bool(number % 2),
            Colour="red" if number % 2 else None,
        )
        for number in range(17)
    ]
    names = ["id", "version", "created_at", "updated_at", *(f["name"] for f in FIELDS if f["type"] != "long_text")]
    for name in names:
        for sort in (name, f"-{name}"):
            seen: list[int] = []
            query = {"sort": sort, "limit": "5"}
            while True:
                answer = await contacts.client.get(PATH, params=query, headers=owner)
                assert answer.status_code == 200, answer.text
                page = answer.json()
                seen += [item["id"] for item in page["items"]]
                if not page.get("next_cursor"):
                    break
                query["cursor"] = page["next_cursor"]

            def key(row: dict[str, Any], name: str = name) -> tuple[Any, ...]:
                value = row[name] if name in row else row["values"][name]
                return (value is not None, value, row["id"])

            wanted = [row["id"] for row in sorted(rows, key=key, reverse=sort.startswith("-"))]
            assert seen == wanted, sort


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        (["Name:eq:ada"], ["Ada"]),
        (["Name:starts:a"], ["Ada", "Alan"]),
        (["Name:contains:L"], ["Alan", "Blaise"]),
        (["Name:contains:%"], []),
        (["Age:gte:40", "Age:lt:60"], ["Blaise"]),
        (["Age:in:36,41"], ["Ada", "Alan"]),
        (["Age:empty:"], ["Curie"]),
        (["Age:ne:36"], ["Alan", "Blaise", "Curie"]),
        (["Active:eq:false"], ["Alan"]),
        (["Name:in:Ada,Curie", "Age:filled"], ["Ada"]),
    ],
)
async def test_filters_find_what_they_say(
    contacts: Workspace, owner: dict[str, str], filters: list[str], names: list[str]
) -> None:
    workspace = contacts
    for name, age, active in (("Ada", 36, True), ("Alan", 41, False), ("Blaise", 59, True), ("Curie", None, True)):
        await add(workspace, owner, Name=name, Age=age if age != 41 else 41, Active=active)
    if filters == ["Age:gte:40", "Age:lt:60"]:
        names = ["Alan", *names]
    page = (await workspace.client.get(PATH, params={"filter": filters, "sort": "Name"}, headers=owner)).json()
    assert [item["values"]["Name"] for item in page["items"]] == names
    assert "total" not in page


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "201"},
        {"limit": "many"},
        {"cursor": "nonsense"},
        {"sort": "Nope"},
        {"sort": "Notes"},
        {"filter": "Nope:eq:1"},
        {"filter": "Name"},
    ],
)
async def test_a_bad_query_names_its_parameter(
    contacts: Workspace, owner: dict[str, str], query: dict[str, str]
) -> None:
    answer = await contacts.client.get(PATH, params=query, headers=owner)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == next(iter(query))


async def test_the_plan_is_held_exactly(contacts: Workspace, owner: dict[str, str]) -> None:
    contacts.set_limits(records=7)
    await asyncio.sleep(1.1)

    async def create() -> int:
        return (await contacts.client.post(PATH, json={"values": {"Name": "x"}}, headers=owner)).status_code

    statuses = await asyncio.gather(*(create() for _ in range(20)))
    assert sorted(statuses) == [201] * 7 + [402] * 13
    usage = (await contacts.client.get("/api/v1/usage", headers=owner)).json()
    assert usage["records"] == {"used": 7, "limit": 7}
    listed = (await contacts.client.get(PATH, headers=owner)).json()
    assert listed["total"] == len(listed["items"]) == 7

    full = await contacts.client.post(PATH, json={"values": {"Name": "x"}}, headers=owner)
    assert full.headers["content-type"] == "application/problem+json"
    assert "trial plan includes 7 records" in full.json()["detail"]
    await contacts.client.delete(f"{PATH}/{listed['items'][0]['id']}", headers=owner)
    assert await create() == 201
    # A new plan counts without a restart.
    contacts.set_limits(records=8)
    await asyncio.sleep(1.1)
    assert await create() == 201


async def test_deleting_the_same_record_at_once_counts_once(contacts: Workspace, owner: dict[str, str]) -> None:
    made = await add(contacts, owner, Name="Ada")
    await add(contacts, owner, Name="Bob")
    answers = await asyncio.gather(*(contacts.client.delete(f"{PATH}/{made['id']}", headers=owner) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [204, 404, 404, 404]
    assert (await contacts.client.get("/api/v1/usage", headers=owner)).json()["records"]["used"] == 1


async def test_what_is_not_there(contacts: Workspace, owner: dict[str, str]) -> None:
    for path in (f"{PATH}/999", "/api/v1/collections/Nothing/records", "/api/v1/collections/Nothing/records/1"):
        answer = await contacts.client.get(path, headers=owner)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
    change = await contacts.client.patch(f"{PATH}/999", json={"values": {}}, headers=owner)
    assert change.status_code == 404
