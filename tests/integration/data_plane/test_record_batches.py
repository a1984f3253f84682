"""Batches on the real server: all rows or none, the same values, counts and audit entries as one by one."""

import asyncio
from decimal import Decimal
from typing import Any

import httpx
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
    {"name": "Code", "type": "text", "unique": True, "exact": True},
]


@pytest.fixture
async def contacts(workspace: Workspace, owner: dict[str, str]) -> Workspace:
    await workspace.collection(owner, *FIELDS)
    return workspace


async def send(contacts: Workspace, headers: dict[str, str], **rows: object) -> httpx.Response:
    return await contacts.client.post(f"{PATH}/batch", json=rows, headers=headers)


async def written(contacts: Workspace, headers: dict[str, str], **rows: object) -> Any:  # noqa: ANN401  a JSON body
    answer = await send(contacts, headers, **rows)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def stored(contacts: Workspace, headers: dict[str, str]) -> dict[int, Any]:
    page = (await contacts.client.get(PATH, params={"limit": 200}, headers=headers)).json()
    return {item["id"]: item for item in page["items"]}


async def used(contacts: Workspace, headers: dict[str, str]) -> int:
    return int((await contacts.client.get("/api/v1/usage", headers=headers)).json()["records"]["used"])


def row(number: int, **changes: object) -> dict[str, Any]:
    return {
        "values": {
            "Name": f"N{number} `'\"\\ %s 🌱",
            "Notes": None if number % 3 else "line\nline\t\\",
            "Balance": number / 4,
            "Age": -(2**63) if number % 2 else 2**63 - 1,
            "Active": bool(number % 2),
            "Born": f"1815-12-{number % 28 + 1:02}",
            "Seen": "2026-01-02T03:04:05.678901Z",
            "Code": f"c{number}",
            **changes,
        }
    }


async def test_a_thousand_rows_are_written_as_one_by_one(contacts: Workspace, owner: dict[str, str]) -> None:
    rows = [row(number) for number in range(999)]
    done = await written(contacts, owner, create=[*rows, {"values": {"Name": "last"}}])
    ids = [one["id"] for one in done["created"]]
    assert ids == sorted(ids)
    assert len(set(ids)) == 1000
    assert {one["version"] for one in done["created"]} == {1}
    for place in (0, 199, 200, 998):
        record = (await contacts.client.get(f"{PATH}/{ids[place]}", headers=owner)).json()
        assert record["values"] == rows[place]["values"]
    last = (await contacts.client.get(f"{PATH}/{ids[-1]}", headers=owner)).json()["values"]
    assert (last["Name"], last["Active"], last["Code"]) == ("last", True, None)
    assert await used(contacts, owner) == 1000
    assert (await contacts.client.get(PATH, headers=owner)).json()["total"] == 1000


async def test_rows_change_and_go_together_with_their_history(contacts: Workspace, owner: dict[str, str]) -> None:
    made = (await written(contacts, owner, create=[row(number) for number in range(5)]))["created"]
    one, two, three, four, five = (record["id"] for record in made)
    exact = "1234567890123456.12345678"
    done = await written(
        contacts,
        owner,
        update=[
            {"id": two, "values": {"Balance": "0.00000001", "Born": None}},
            {"id": one, "values": {"Balance": exact, "Born": "2026-02-28"}, "version": 1},
            {"id": three, "values": {"Active": False, "Notes": "x" * 15_000}},
            {"id": four, "values": row(3)["values"]},
        ],
        delete=[{"id": five, "version": 1}],
        create=[row(4)],
    )
    assert done["updated"] == [
        {"id": two, "version": 2},
        {"id": one, "version": 2},
        {"id": three, "version": 2},
        {"id": four, "version": 1},  # it had all of it already
    ]
    assert done["deleted"] == 1
    found = await contacts.client.get(f"{PATH}/{one}", headers=owner)
    assert f'"Balance":{exact}' in found.text
    rows = await stored(contacts, owner)
    assert Decimal(str(rows[two]["values"]["Balance"])) == Decimal("1e-8")
    assert (rows[two]["values"]["Born"], rows[one]["values"]["Born"]) == (None, "2026-02-28")
    assert (rows[three]["values"]["Active"], len(rows[three]["values"]["Notes"])) == (False, 15_000)
    assert set(rows) == {one, two, three, four, done["created"][0]["id"]}
    assert await used(contacts, owner) == 5
    entries = (await contacts.client.get("/api/v1/audit", params={"limit": 200}, headers=owner)).json()["items"]
    said = [(entry["action"], entry["subject"]) for entry in reversed(entries) if entry["action"].startswith("record.")]
    assert said[5:] == [
        ("record.delete", f"Contacts/{five}"),
        *(("record.update", f"Contacts/{number}") for number in (one, two, three)),
        ("record.create", f"Contacts/{done['created'][0]['id']}"),
    ]
    changed = next(entry for entry in entries if entry["subject"] == f"Contacts/{two}")
    assert changed["before"] == {"Balance": 0.25, "Born": "1815-12-02"}
    assert changed["after"] == {"Balance": 1e-8, "Born": None}


async def test_nothing_is_written_when_a_row_contradicts_what_is_stored(
    contacts: Workspace, owner: dict[str, str]
) -> None:
    made = (await written(contacts, owner, create=[row(1), row(2), row(3)]))["created"]
    one, two, three = (record["id"] for record in made)
    before = await stored(contacts, owner)
    answer = await send(
        contacts,
        owner,
        delete=[{"id": three}, {"id": 9999}],
        update=[
            {"id": one, "values": {"Name": "x"}, "version": 7},
            {"id": two, "values": {"Code": "c1"}},
            {"id": 8888, "values": {"Name": "x"}},
        ],
        create=[row(10), row(11, Code="c2"), row(12, Code="c10"), row(3)],
    )
    assert answer.status_code == 409, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [
        "delete[1].id",
        "update[0].version",
        "update[2].id",
        "update[1].values.Code",
        "create[1].values.Code",
        "create[2].values.Code",
    ]
    assert await stored(contacts, owner) == before
    assert await used(contacts, owner) == 3
    entries = (await contacts.client.get("/api/v1/audit", params={"action": "record"}, headers=owner)).json()["items"]
    assert len(entries) == 3


async def test_the_plan_is_held_for_all_rows_together(contacts: Workspace, owner: dict[str, str]) -> None:
    contacts.set_limits(records=10)
    await asyncio.sleep(1.1)  # the file is looked at once a second
    rows = [{"values": {"Name": "x"}}] * 6
    answers = await asyncio.gather(*(send(contacts, owner, create=rows) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 402, 402]
    made = next(answer.json()["created"] for answer in answers if answer.status_code == 200)
    # As many go as come: there is room.
    gone = [{"id": one["id"]} for one in made]
    assert (await written(contacts, owner, create=[*rows, *rows][:10], delete=gone))["deleted"] == 6
    assert await used(contacts, owner) == 10
    assert len(await stored(contacts, owner)) == 10


async def test_of_two_batches_that_change_the_same_records_one_comes_second(
    contacts: Workspace, owner: dict[str, str]
) -> None:
    made = (await written(contacts, owner, create=[row(number) for number in range(20)]))["created"]

    async def change(age: int, *, backwards: bool) -> int:
        rows = [{"id": one["id"], "values": {"Age": age}, "version": 1} for one in made]
        return (await send(contacts, owner, update=rows[::-1] if backwards else rows)).status_code

    statuses = await asyncio.gather(*(change(number, backwards=bool(number % 2)) for number in range(4)))
    assert sorted(statuses) == [200, 409, 409, 409]
    assert len({item["values"]["Age"] for item in (await stored(contacts, owner)).values()}) == 1


async def test_who_may_not_write_is_told_before_the_body_is_read(contacts: Workspace, owner: dict[str, str]) -> None:
    viewer = await contacts.user(owner, "viewer")
    said = {**viewer, "content-type": "application/json"}
    assert (await contacts.client.post(f"{PATH}/batch", content=b"{", headers=said)).status_code == 403
    too_large = {**owner, "content-type": "application/json", "content-length": str(2**21)}
    assert (await contacts.client.post(f"{PATH}/batch", content=b"{", headers=too_large)).status_code == 413
    many = [{"values": {"Name": "x"}}] * 1001
    assert (await send(contacts, owner, create=many)).json()["errors"][0]["field"] == "create"
    nowhere = "/api/v1/collections/Nothing/records/batch"
    answer = await contacts.client.post(nowhere, json={"create": [row(1)]}, headers=owner)
    assert answer.status_code == 404
