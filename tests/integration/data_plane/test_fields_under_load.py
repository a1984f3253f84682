"""Fields that change while others write: no request fails, no write is lost, and undoing restores every byte."""

import asyncio
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
import pytest
from integration.data_plane.test_field_changes import HERE, TRASH, Desk
from integration.data_plane.workspace import OWNER, Workspace
from vivero_data.db.database import Connection
from vivero_data.domain.collections import fields as fields_service
from vivero_data.domain.collections import repository
from vivero_data.domain.collections.changes import Change, ChangedMeanwhileError, Effects, apply
from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.users.schemas import Actor, Role

TYPES: Final = ("number", "text", "integer", "long_text", "date", "boolean", "email")
TEXTS: Final = (
    "12",
    "12.5",
    " 7 ",
    "1e3",
    "yes",
    "no",
    "2026-11-29",
    "ada@example.com",
    "ten",
    "",
    "１２",
    "-0.10",
    "🌱",
)
SAMPLE: Final = 8  # changes
WHOLE: Final = 200
WRITERS: Final = 5
PATIENCE: Final = 120.0  # longer than a busy machine needs
PAUSE: Final = 0.1  # seconds between two writes of one: some 50 a second of all


@pytest.fixture
async def desk(workspace: Workspace, owner: dict[str, str]) -> Desk:
    await workspace.collection(owner, {"name": "Title", "type": "text"}, {"name": "Value", "type": "text"})
    return Desk(workspace, owner)


async def everything(desk: Desk) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    cursor = ""
    while True:
        page = await desk.ask(
            "GET", f"{HERE}/records?limit=200&cursor={cursor}" if cursor else f"{HERE}/records?limit=200"
        )
        found |= {one["id"]: one["values"] for one in page["items"]}
        if not (cursor := page.get("next_cursor", "")):
            return found


class Writers:
    """Write titles, which no change touches, and values; they remember what was acknowledged."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.titles: dict[int, str] = {}
        self.failures: list[str] = []
        self.written = 0
        self._over = False

    @asynccontextmanager
    async def busy(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            for number in range(WRITERS):
                group.create_task(self._write(random.Random(number), number))  # noqa: S311  no secret
            try:
                yield
            finally:
                self._over = True

    async def _write(self, chance: random.Random, writer: int) -> None:
        client, owner = self.desk.client, self.desk.owner
        own: list[int] = []
        while not self._over:
            self.written += 1
            values: dict[str, Any] = {"Title": f"{writer}-{self.written}"}
            if not own or chance.random() < 0.5:
                answer = await client.post(f"{HERE}/records", json={"values": values}, headers=owner)
            else:
                where = f"{HERE}/records/{chance.choice(own)}"
                answer = await client.patch(where, json={"values": values}, headers=owner)
            if answer.is_success:
                number = int(answer.json()["id"])
                own.append(number)
                self.titles[number] = values["Title"]
            else:
                self.failures.append(f"{answer.status_code} {answer.text}")
            await asyncio.sleep(PAUSE)


async def test_nobody_fails_and_nothing_is_lost_while_types_change(desk: Desk) -> None:
    chance = random.Random(7)  # noqa: S311  no secret
    writers = Writers(desk)
    async with writers.busy():
        for _ in range(12):
            kind = chance.choice(TYPES)
            # Title itself moves to another column and back, under the hands of those who write it.
            made = await desk.ask("PATCH", f"{HERE}/fields/Title", {"type": "long_text", "indexed": False})
            await desk.ask("PATCH", f"{HERE}/fields/Value", {"type": kind})
            if made["undo"] is not None:
                await desk.restore(made["undo"])
    assert writers.failures == []
    found = await everything(desk)
    assert {number: values["Title"] for number, values in found.items()} == writers.titles
    assert len(writers.titles) > 0


@pytest.mark.parametrize("changes", [SAMPLE, pytest.param(WHOLE, marks=pytest.mark.full)])
async def test_each_of_many_changes_is_undone_to_the_byte_while_others_write(desk: Desk, changes: int) -> None:
    chance = random.Random(changes)  # noqa: S311  no secret
    for text in TEXTS:
        await desk.add(Title="x", Value=text)
    before = {number: values["Value"] for number, values in (await everything(desk)).items()}
    writers = Writers(desk)
    undone = 0
    async with writers.busy():
        for _ in range(changes):
            wanted = chance.choice([{"type": chance.choice(TYPES)}, {"name": f"Named {chance.random()}"}, None])
            if wanted is None:
                made = await desk.ask("DELETE", f"{HERE}/fields/Value")
            else:
                made = await desk.ask("PATCH", f"{HERE}/fields/Value", wanted)
            if wanted and "name" in wanted:
                await desk.ask("PATCH", f"{HERE}/fields/{wanted['name']}", {"name": "Value"})
            elif made["undo"] is not None:
                await desk.restore(made["undo"])
                undone += 1
            now = await everything(desk)
            assert {number: now[number]["Value"] for number in before} == before, wanted
    assert writers.failures == []
    found = await everything(desk)
    assert {number: found[number]["Title"] for number in writers.titles} == writers.titles
    assert undone > 0
    assert writers.written > 0


async def test_a_write_of_the_field_itself_during_its_change_is_in_it_afterwards(desk: Desk) -> None:
    """Each write is there as it was answered, or as the new type reads it."""
    chance = random.Random(3)  # noqa: S311  no secret
    numbers = [await desk.add(Title="x", Value=str(n)) for n in range(100)]
    told: dict[int, float] = dict(zip(numbers, map(float, range(100)), strict=True))
    over = False

    async def write() -> None:
        client, owner = desk.client, desk.owner
        while not over:
            number, value = chance.choice(numbers), chance.randrange(10_000)
            for given in (str(value), value):  # as the one type has it, or as the other
                answer = await client.patch(
                    f"{HERE}/records/{number}", json={"values": {"Value": given}}, headers=owner
                )
                if answer.status_code != 422:
                    break
            assert answer.is_success, answer.text
            told[number] = float(value)
            await asyncio.sleep(0.01)

    task = asyncio.create_task(write())
    for kind in ("number", "text", "integer", "text"):
        await asyncio.sleep(0.2)
        await desk.ask("PATCH", f"{HERE}/fields/Value", {"type": kind})
    await asyncio.sleep(0.2)
    over = True
    await task
    assert {number: float(values["Value"]) for number, values in (await everything(desk)).items()} == told


@pytest.mark.parametrize("seed", range(3))
async def test_any_changes_are_as_foreseen_and_undone_to_the_byte(desk: Desk, seed: int) -> None:
    """Random changes, each undone in the end, with writes in between; a model says what has to be there."""
    chance = random.Random(seed)  # noqa: S311  no secret
    model: dict[int, Any] = {}
    for text in (*TEXTS, None):
        model[await desk.add(Title="x", Value=text)] = text or None
    done: list[tuple[int, dict[int, Any]]] = []
    for _ in range(6):
        before = {number: values.get("Value") for number, values in (await everything(desk)).items()}
        kind = chance.choice(TYPES)
        foreseen = await desk.ask("PATCH", f"{HERE}/fields/Value?preview=true", {"type": kind})
        made = await desk.ask("PATCH", f"{HERE}/fields/Value", {"type": kind})
        if made["undo"] is None:
            continue
        after = {number: values.get("Value") for number, values in (await everything(desk)).items()}
        emptied = [number for number, value in before.items() if value is not None and after[number] is None]
        blank = [number for number in emptied if str(before[number]).strip() == ""]
        assert len(emptied) - len(blank) == made["will_become_empty"] == foreseen["will_become_empty"]
        done.append((made["undo"], before))
    for entry, before in reversed(done):
        await desk.restore(entry)
        latest = {one["name"]: one["id"] for one in (await desk.ask("GET", TRASH))["items"]}
        assert latest, "an undoing can be undone, too"
        assert {number: values.get("Value") for number, values in (await everything(desk)).items()} == before
    assert {number: values.get("Value") for number, values in (await everything(desk)).items()} == model


@pytest.mark.parametrize("seed", range(2))
async def test_wherever_a_change_is_killed_the_next_attempt_finishes_it(
    desk: Desk, workspace: Workspace, seed: int
) -> None:
    """Ended at any statement, with writes in between; there, and back again."""
    chance, database = random.Random(seed), workspace.app.state.services.database  # noqa: S311  no secret
    rows = [{"values": {"Title": "x", "Value": str(number)}} for number in range(700)]  # two pages
    await desk.ask("POST", f"{HERE}/records/batch", {"create": rows})
    user = (await desk.ask("GET", "/api/v1/me"))["id"]
    actor = Actor(user, OWNER, "Olive", Role.OWNER)
    told: list[int] = []

    async def done(_: Connection, entry: int, __: Effects) -> None:
        told.append(entry)

    for _ in range(2):
        collection = msgspec.convert(await desk.ask("GET", HERE), Collection)
        before = collection.fields[1]
        async with database.read() as connection:
            column = await repository.allocate_ids(connection, 1)
        kind = FieldType.INTEGER if before.type is FieldType.TEXT else FieldType.TEXT
        after = msgspec.structs.replace(before, type=kind, column=column)
        wanted = await everything(desk)
        for attempt in range(12):
            limit = chance.random() * 0.15 * attempt if attempt < 11 else None
            try:
                async with asyncio.timeout(limit):
                    await apply(database, actor, Change(collection.id, before, after), done)
            except TimeoutError:
                number = chance.choice(list(wanted))
                answer = await desk.ask("PATCH", f"{HERE}/records/{number}", {"values": {"Value": str(attempt)}})
                wanted[number] = answer["values"]
            except ChangedMeanwhileError:
                break  # the attempt before was told to end when it had published
            else:
                break
        found = {number: str(values["Value"]) for number, values in (await everything(desk)).items()}
        assert found == {number: str(values["Value"]) for number, values in wanted.items()}
    assert len(told) > 1, "each of the two changes was published"


async def test_a_large_collection_is_changed_by_a_job(
    desk: Desk, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fields_service, "AT_ONCE", 5)
    monkeypatch.setenv("PYTHONPATH", ":".join(path for path in sys.path if path))
    for name, value in workspace.environ.items():  # the child inherits them, as in a pod
        monkeypatch.setenv(name, value)
    for number in range(10):
        await desk.add(Title=str(number), Value=str(number) if number else "none")
    begun = await desk.ask("PATCH", f"{HERE}/fields/Value", {"type": "integer", "unique": True})
    job = await ended(desk, begun["job"])
    assert (job["state"], job["result"]["records"], job["result"]["emptied"]) == ("done", 10, 1), job
    assert await desk.values("Value") == [None, *range(1, 10)]
    undone = await desk.restore(job["result"]["undo"])
    assert (await ended(desk, undone["job"]))["state"] == "done"
    assert await desk.values("Value") == ["none", *(str(number) for number in range(1, 10))]


async def ended(desk: Desk, job: int) -> Any:  # noqa: ANN401  any JSON
    async with asyncio.timeout(PATIENCE):
        while (found := await desk.ask("GET", f"/api/v1/jobs/{job}"))["state"] not in {"done", "failed"}:  # noqa: ASYNC110  another process is at it
            await asyncio.sleep(0.2)
        return found
