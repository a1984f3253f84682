"""Several people change one record at once: nothing that was acknowledged is lost, and nobody overwrites what they have not seen."""

import asyncio
from random import Random
from typing import Any

import pytest
from integration.data_plane.workspace import Workspace

PATH = "/api/v1/collections/Contacts/records"
FIELDS = tuple(f"F{number}" for number in range(5))
Header = dict[str, str]


@pytest.fixture
async def contacts(workspace: Workspace, owner: Header) -> Workspace:
    await workspace.collection(owner, *({"name": name, "type": "text"} for name in FIELDS))
    return workspace


async def add(contacts: Workspace, owner: Header) -> str:
    answer = await contacts.client.post(PATH, json={"values": dict.fromkeys(FIELDS, "first")}, headers=owner)
    assert answer.status_code == 201, answer.text
    return f"{PATH}/{answer.json()['id']}"


async def test_other_fields_are_merged_and_the_same_field_is_refused_with_both_values(
    contacts: Workspace, owner: Header
) -> None:
    path, client = await add(contacts, owner), contacts.client
    stale = {**owner, "if-match": '"1"'}
    assert (await client.patch(path, json={"values": {"F0": "theirs"}}, headers=owner)).headers["etag"] == '"2"'
    merged = await client.patch(path, json={"values": {"F1": "mine"}}, headers=stale)
    assert (merged.status_code, merged.headers["etag"]) == (200, '"3"')
    assert (merged.json()["values"]["F0"], merged.json()["values"]["F1"]) == ("theirs", "mine")
    refused = await client.patch(path, json={"values": {"F0": "mine", "F2": "mine"}}, headers=stale)
    assert refused.status_code == 412
    error = {"field": "F0", "message": "was changed by somebody else meanwhile", "theirs": "theirs", "yours": "mine"}
    assert refused.json()["errors"] == [error]
    by_body = await client.patch(path, json={"values": {"F0": "mine"}, "version": 1}, headers=owner)
    assert (by_body.status_code, by_body.json()["errors"]) == (409, [error])
    same = await client.patch(path, json={"values": {"F0": "theirs"}}, headers=stale)
    assert (same.status_code, same.headers["etag"]) == (200, '"3"')
    entries = (await client.get("/api/v1/audit", params={"action": "record.update"}, headers=owner)).json()["items"]
    assert [entry["after"] for entry in entries] == [{"F1": "mine"}, {"F0": "theirs"}]


async def test_a_batch_merges_as_well_and_names_the_field(contacts: Workspace, owner: Header) -> None:
    path, client = await add(contacts, owner), contacts.client
    number = int(path.rpartition("/")[2])
    await client.patch(path, json={"values": {"F0": "theirs"}}, headers=owner)
    row = {"id": number, "version": 1}
    merged = await client.post(f"{PATH}/batch", json={"update": [{**row, "values": {"F1": "mine"}}]}, headers=owner)
    assert merged.json()["updated"] == [{"id": number, "version": 3}]
    refused = await client.post(f"{PATH}/batch", json={"update": [{**row, "values": {"F0": "mine"}}]}, headers=owner)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (409, "update[0].values.F0")


async def test_what_a_program_changed_that_notes_nothing_is_not_overwritten(contacts: Workspace, owner: Header) -> None:
    path, client = await add(contacts, owner), contacts.client
    await client.patch(path, json={"values": {"F1": "x"}}, headers=owner)
    async with contacts.app.state.services.database.transaction() as tx:
        await tx.execute("DELETE FROM record_changes")
    await client.patch(path, json={"values": {"F2": "x"}}, headers=owner)
    unknown = await client.patch(path, json={"values": {"F0": "mine"}}, headers={**owner, "if-match": '"1"'})
    assert unknown.status_code == 412
    known = await client.patch(path, json={"values": {"F0": "mine"}}, headers={**owner, "if-match": '"2"'})
    assert known.status_code == 200


@pytest.mark.parametrize(
    ("people", "edits", "seed"),
    [(6, 12, 16), pytest.param(20, 500, 17, marks=pytest.mark.full)],
    ids=["sample", "whole"],
)
async def test_random_edits_at_once_lose_nothing(
    contacts: Workspace, owner: Header, people: int, edits: int, seed: int
) -> None:
    """The history is compared with what each person saw: a change follows exactly the value that its author knew."""
    paths = [await add(contacts, owner) for _ in range(3)]
    members = [owner] + [await contacts.user(owner, "member") for _ in range(2)]
    acknowledged: dict[tuple[str, str], tuple[str, str]] = {}
    refused = merged = 0

    async def work(person: int) -> None:
        nonlocal refused, merged
        chance, headers = Random(f"{seed}-{person}"), members[person % len(members)]  # noqa: S311  a test's own dice
        for edit in range(edits):
            path = chance.choice(paths)
            seen = (await contacts.client.get(path, headers=headers)).json()
            for _ in range(chance.randrange(3)):
                await asyncio.sleep(0)  # others come in between
            values = {name: f"{person}/{edit}/{name}" for name in chance.sample(FIELDS, chance.randint(1, 3))}
            answer = await write(contacts, path, seen, values, headers, batch=chance.random() < 0.3)
            if answer is None:
                refused += 1
                continue
            merged += answer > seen["version"] + 1
            for name, value in values.items():
                acknowledged[name, value] = (path, seen["values"][name])

    await asyncio.gather(*(work(person) for person in range(people)))
    assert merged, "nobody came in between"
    assert refused, "nobody was in the way"
    history = await audit(contacts, owner)
    written = {
        (name, value): (f"{PATH}/{entry['subject'].rpartition('/')[2]}", entry["before"][name])
        for entry in history
        for name, value in entry["after"].items()
    }
    assert written == acknowledged
    for path in paths:
        last = dict.fromkeys(FIELDS, "first")
        for entry in history:
            if path.endswith(f"/{entry['subject'].rpartition('/')[2]}"):
                assert {name: last[name] for name in entry["after"]} == entry["before"]
                last |= entry["after"]
        assert (await contacts.client.get(path, headers=owner)).json()["values"] == last


async def write(
    contacts: Workspace, path: str, seen: dict[str, Any], values: dict[str, str], headers: Header, *, batch: bool
) -> int | None:
    """The version that a change made; None when it was refused because of another one."""
    if batch:
        body = {"update": [{"id": seen["id"], "version": seen["version"], "values": values}]}
        answer = await contacts.client.post(f"{PATH}/batch", json=body, headers=headers)
    else:
        condition = {**headers, "if-match": f'"{seen["version"]}"'}
        answer = await contacts.client.patch(path, json={"values": values}, headers=condition)
    assert answer.status_code in {200, 409, 412}, answer.text
    if answer.status_code != 200:
        assert all("theirs" in error for error in answer.json()["errors"])
        return None
    made = answer.json()
    return int(made["updated"][0]["version"] if batch else made["version"])


async def audit(contacts: Workspace, owner: Header) -> list[dict[str, Any]]:
    """All changes of records, oldest first."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        query = {"action": "record.update", "limit": "200", **cursor}
        page = (await contacts.client.get("/api/v1/audit", params=query, headers=owner)).json()
        found += page["items"]
        if "next_cursor" not in page:
            return found[::-1]
        cursor = {"cursor": page["next_cursor"]}
