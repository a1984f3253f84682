"""A write that is sent twice with one Idempotency-Key happens once, whatever dies in between."""

import asyncio
from typing import Any

import httpx
import pytest
from integration.data_plane.workspace import Workspace
from vivero_data.domain.idempotency.service import IdempotencyService
from vivero_data.domain.records.service import RecordService

RECORDS = "/api/v1/collections/Contacts/records"


async def add(
    workspace: Workspace, who: dict[str, str], key: str, name: str = "Ada", path: str = RECORDS
) -> httpx.Response:
    headers = {**who, "idempotency-key": key}
    return await workspace.client.post(path, json={"values": {"Name": name}}, headers=headers)


async def count(workspace: Workspace, who: dict[str, str]) -> int:
    return len((await workspace.client.get(RECORDS, headers=who)).json()["items"])


async def run(workspace: Workspace, sql: str) -> Any:  # noqa: ANN401  a row
    async with workspace.app.state.services.database.transaction() as tx:
        return await tx.fetch_one(sql)


@pytest.fixture(autouse=True)
async def _contacts(workspace: Workspace, owner: dict[str, str]) -> None:
    await workspace.collection(owner)


async def test_the_second_answer_is_the_first_ones(workspace: Workspace, owner: dict[str, str]) -> None:
    first, second = [await add(workspace, owner, "order-17") for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert first.headers["etag"] == second.headers["etag"]
    assert ("idempotency-replayed" in first.headers, second.headers["idempotency-replayed"]) == (False, "true")
    assert await count(workspace, owner) == 1
    assert (await add(workspace, owner, "order-18")).status_code == 201
    assert await count(workspace, owner) == 2
    stored = await run(workspace, "SELECT answer FROM idempotency_keys LIMIT 1")
    assert b"Ada" not in stored[0], "it is sealed"


async def test_a_key_belongs_to_one_request_and_one_person(workspace: Workspace, owner: dict[str, str]) -> None:
    assert (await add(workspace, owner, "k")).status_code == 201
    refused = await add(workspace, owner, "k", "Bea")
    assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (422, "idempotency-key-reused")
    assert (await add(workspace, owner, "k", path=f"{RECORDS}?x=1")).status_code == 422
    member = await workspace.user(owner, "member")
    assert (await add(workspace, member, "k", "Bea")).status_code == 201
    assert await count(workspace, owner) == 2


async def test_of_many_at_once_one_happens(workspace: Workspace, owner: dict[str, str]) -> None:
    answers = await asyncio.gather(*(add(workspace, owner, "k") for _ in range(6)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert await count(workspace, owner) == 1


async def test_what_was_refused_can_be_corrected(workspace: Workspace, owner: dict[str, str]) -> None:
    headers = {**owner, "idempotency-key": "k"}
    refused = await workspace.client.post(RECORDS, json={"values": {"Nothing": 1}}, headers=headers)
    assert refused.status_code == 422
    assert (await add(workspace, owner, "k")).status_code == 201


async def test_a_fault_before_the_write_leaves_the_key_free(
    workspace: Workspace, owner: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(RecordService, "create", fail)
    assert (await add(workspace, owner, "k")).status_code == 500
    monkeypatch.undo()
    assert (await add(workspace, owner, "k")).status_code == 201


async def test_one_that_died_is_begun_anew_and_one_that_wrote_is_not(
    workspace: Workspace, owner: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def die(*_: object) -> None:
        """As a process that ends before the answer."""

    monkeypatch.setattr(IdempotencyService, "end", die)
    assert (await add(workspace, owner, "wrote")).status_code == 201
    headers = {**owner, "idempotency-key": "died"}
    await workspace.client.post(RECORDS, json={"values": {"Nothing": 1}}, headers=headers)
    monkeypatch.undo()
    lost = await add(workspace, owner, "wrote")
    assert (lost.status_code, lost.json()["type"].rpartition(":")[2]) == (409, "idempotency-answer-lost")
    assert await count(workspace, owner) == 1
    under_way = await workspace.client.post(RECORDS, json={"values": {"Nothing": 1}}, headers=headers)
    assert (under_way.status_code, under_way.headers["retry-after"]) == (409, "2")
    await run(workspace, "UPDATE idempotency_keys SET claimed_at = claimed_at - INTERVAL 3 MINUTE")
    again = await workspace.client.post(RECORDS, json={"values": {"Nothing": 1}}, headers=headers)
    assert again.status_code == 422, "it was done now, and refused"


@pytest.mark.parametrize("key", ["", "x" * 256, "é"])
async def test_what_is_no_key_is_refused(workspace: Workspace, owner: dict[str, str], key: str) -> None:
    headers = {b"authorization": owner["authorization"].encode(), b"idempotency-key": key.encode()}
    answer = await workspace.client.post(RECORDS, json={"values": {}}, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "Idempotency-Key")


async def test_reads_and_strangers_are_as_ever(workspace: Workspace, owner: dict[str, str]) -> None:
    headers = {**owner, "idempotency-key": "k"}
    assert (await workspace.client.get(RECORDS, headers=headers)).status_code == 200
    assert (await workspace.client.post(RECORDS, json={}, headers={"idempotency-key": "k"})).status_code == 401
    assert await run(workspace, "SELECT COUNT(*) FROM idempotency_keys") == (0,)
