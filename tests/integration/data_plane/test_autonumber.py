"""Automatic numbers: each record gets the next one, whoever writes it and however, and nobody types it."""

import asyncio
from typing import Any

from integration.data_plane.workspace import Workspace

RECORDS = "/api/v1/collections/Contacts/records"
NUMBER = {"name": "Number", "type": "autonumber", "options": {"prefix": "INV-", "digits": 5}}


async def numbers(workspace: Workspace, headers: dict[str, str], **params: Any) -> list[str]:  # noqa: ANN401  a query's values
    answer = await workspace.client.get(RECORDS, params={"limit": 200, **params}, headers=headers)
    assert answer.status_code == 200, answer.text
    return [item["values"]["Number"] for item in answer.json()["items"]]


async def test_every_record_gets_the_next_number(workspace: Workspace, owner: dict[str, str]) -> None:
    await workspace.collection(owner, NUMBER, {"name": "Name", "type": "text"})
    made = await workspace.client.post(RECORDS, json={"values": {"Name": "a"}}, headers=owner)
    assert made.json()["values"] == {"Number": "INV-00001", "Name": "a"}
    rows = [{"values": {"Name": str(number)}} for number in range(3)]
    await workspace.client.post(f"{RECORDS}/batch", json={"create": rows}, headers=owner)
    assert await numbers(workspace, owner) == ["INV-00001", "INV-00002", "INV-00003", "INV-00004"]
    assert await numbers(workspace, owner, filter="Number:gt:INV-00002", sort="-Number") == ["INV-00004", "INV-00003"]
    assert await numbers(workspace, owner, filter="Number:eq:3") == ["INV-00003"]


async def test_writers_at_the_same_time_get_different_numbers(workspace: Workspace, owner: dict[str, str]) -> None:
    await workspace.collection(owner, NUMBER)
    made = await asyncio.gather(
        *(workspace.client.post(RECORDS, json={"values": {}}, headers=owner) for _ in range(20))
    )
    assert {answer.status_code for answer in made} == {201}
    given = sorted(answer.json()["values"]["Number"] for answer in made)
    assert given == [f"INV-{number:05}" for number in range(1, 21)]


async def test_nobody_types_one(workspace: Workspace, owner: dict[str, str]) -> None:
    await workspace.collection(owner, NUMBER, {"name": "Name", "type": "text"})
    refused = await workspace.client.post(RECORDS, json={"values": {"Number": "INV-00007"}}, headers=owner)
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == ["Number"]
    made = await workspace.client.post(RECORDS, json={"values": {"Number": None, "Name": "a"}}, headers=owner)
    assert made.json()["values"]["Number"] == "INV-00001"
    changed = await workspace.client.patch(f"{RECORDS}/1", json={"values": {"Number": 9}}, headers=owner)
    assert changed.status_code == 422
    form = (await workspace.client.get("/collections/Contacts/new", headers=owner)).text
    assert "Written when the record is saved" in form
    assert "INV-00001" in (await workspace.client.get("/collections/Contacts/records/1", headers=owner)).text


async def test_a_definition_that_makes_no_sense_is_refused(workspace: Workspace, owner: dict[str, str]) -> None:
    for said, place in (
        ({"required": True}, "required"),
        ({"default": "INV-1"}, "default"),
        ({"options": {"prefix": "12"}}, "options.prefix"),
        ({"options": {"currency": "EUR"}}, "options.currency"),
    ):
        body = {"name": "Odd", "fields": [{**NUMBER, **said}]}
        answer = await workspace.client.post("/api/v1/collections", json=body, headers=owner)
        assert answer.status_code == 422, said
        assert f"fields[0].{place}" in {error["field"] for error in answer.json()["errors"]}


async def test_records_that_were_there_are_numbered_and_a_field_that_comes_back_goes_on(
    workspace: Workspace, owner: dict[str, str]
) -> None:
    await workspace.collection(owner, {"name": "Name", "type": "text"})
    rows = [{"values": {"Name": str(number)}} for number in range(3)]
    await workspace.client.post(f"{RECORDS}/batch", json={"create": rows}, headers=owner)
    fields = "/api/v1/collections/Contacts/fields"
    added = await workspace.client.post(fields, json=NUMBER, headers=owner)
    assert added.status_code in {200, 201}, added.text
    assert await numbers(workspace, owner) == ["INV-00001", "INV-00002", "INV-00003"]
    gone = await workspace.client.delete(f"{fields}/Number", headers=owner)
    restored = await workspace.client.post(f"/api/v1/trash/{gone.json()['undo']}/restore", headers=owner)
    assert restored.status_code in {200, 201}, restored.text
    made = await workspace.client.post(RECORDS, json={"values": {"Name": "3"}}, headers=owner)
    assert made.json()["values"]["Number"] == "INV-00004"
    changed = await workspace.client.patch(f"{fields}/Name", json={"type": "autonumber"}, headers=owner)
    assert (changed.status_code, changed.json()["errors"][0]["field"]) == (422, "type")
