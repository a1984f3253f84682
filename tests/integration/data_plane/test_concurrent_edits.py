"""Twenty people edit at once, change many records and take that back, beside imports: nothing is lost.

The audit log is played again, entry by entry. What an entry says was there has to be what the entries before it left, and
in the end the records are what it leaves: so no edit has been overwritten by one that did not see it.
"""

import asyncio
import random
import sys
from collections import Counter
from typing import Any, Final

import pytest
from integration.data_plane.test_imports import Importer
from integration.data_plane.workspace import Workspace
from vivero_data.domain.records.bulk import Action, Bulk
from vivero_data.domain.records.selections import BulkService
from vivero_data.domain.users.schemas import Actor, Role
from vivero_data.lib.json import decode
from vivero_web.errors import WebError

HERE: Final = "/api/v1/collections/Contacts"
FIELDS: Final = ("Key", "Name", "Number")
PEOPLE: Final = 20
FIRST: Final = 60  # records that everybody works on
AN_IMPORT: Final = 20  # rows: half of them change records, half are new
SAMPLE: Final = 400
WHOLE: Final = 10_000
EDITS_AN_IMPORT: Final = 300
WEIGHTS: Final = {"patch": 60, "create": 12, "delete": 6, "bulk": 8, "undo": 14}
State = dict[int, dict[str, Any]]


class Crowd:
    """People who edit at random, and what they were told."""

    def __init__(self, workspace: Workspace, people: list[dict[str, str]], seed: int) -> None:
        self.workspace = workspace
        self.people = people
        self.chance = random.Random(seed)  # noqa: S311  no secret
        self.ids: list[int] = []
        self.entries: list[int] = []  # of the trash: what can be undone
        self.told: set[tuple[int, str, Any]] = set()  # values that were acknowledged
        self.failures: list[str] = []
        self.done: Counter[str] = Counter()
        self._values = 0

    def value(self) -> int:
        """One that no other edit writes."""
        self._values += 1
        return self._values

    async def work(self, edits: int) -> None:
        left = iter(range(edits))
        async with asyncio.TaskGroup() as group:
            for headers in self.people:
                group.create_task(self._person(headers, left))

    async def _person(self, headers: dict[str, str], left: Any) -> None:  # noqa: ANN401  an iterator that all share
        for _ in left:
            (kind,) = self.chance.choices(list(WEIGHTS), list(WEIGHTS.values()))
            await getattr(self, f"_{kind}")(headers)
            self.done[kind] += 1

    async def _ask(self, headers: dict[str, str], method: str, path: str, body: object = None) -> Any:  # noqa: ANN401  JSON
        """The answer; None of what is gone, or in the way of what others did meanwhile."""
        answer = await self.workspace.client.request(method, path, json=body, headers=headers)
        if answer.is_success:
            return answer.json() if answer.content else {}
        if answer.status_code not in {404, 409}:
            self.failures.append(f"{method} {path}: {answer.status_code} {answer.text}")
        return None

    async def _patch(self, headers: dict[str, str]) -> None:
        number, field = self.chance.choice(self.ids), self.chance.choice(["Name", "Number"])
        value: Any = self.value() if field == "Number" else f"n{self.value()}"
        if await self._ask(headers, "PATCH", f"{HERE}/records/{number}", {"values": {field: value}}):
            self.told.add((number, field, value))

    async def _create(self, headers: dict[str, str]) -> None:
        values = {"Key": f"K{self.value()}", "Name": f"n{self.value()}"}
        if made := await self._ask(headers, "POST", f"{HERE}/records", {"values": values}):
            self.ids.append(made["id"])
            self.told |= {(made["id"], field, value) for field, value in values.items()}

    async def _delete(self, headers: dict[str, str]) -> None:
        number = self.chance.choice(self.ids)
        answer = await self.workspace.client.delete(f"{HERE}/records/{number}", headers=headers)
        if answer.status_code not in {204, 404}:
            self.failures.append(f"DELETE {number}: {answer.status_code} {answer.text}")
        trash = await self._ask(headers, "GET", "/api/v1/trash?limit=1")
        self.entries += [one["id"] for one in trash["items"]]

    async def _bulk(self, headers: dict[str, str]) -> None:
        assert headers
        bulk: BulkService = self.workspace.app.state.services.bulk
        action = self.chance.choice([Action.EDIT, Action.EDIT, Action.DELETE])
        ids = tuple(self.chance.sample(self.ids, 10 if action is Action.EDIT else 2))
        value = self.value()
        try:
            done = await bulk.start(
                Actor(1, "owner@example.com", "Olive", Role.OWNER, 1),
                "Contacts",
                Bulk(action, ids, field="Number" if action is Action.EDIT else "", value=str(value)),
            )
        except WebError as error:
            self.failures.append(f"bulk {action}: {error!r}")
        else:
            self.entries += [done.entry] if done.entry else []

    async def _undo(self, headers: dict[str, str]) -> None:
        if self.entries:
            entry = self.entries.pop(self.chance.randrange(len(self.entries)))
            await self._ask(headers, "POST", f"/api/v1/trash/{entry}/restore")


async def imports(importer: Importer, crowd: Crowd, amount: int) -> None:
    """Imports that change records by their key and add others, every second one taken back."""
    for number in range(amount):
        rows = [f"F{crowd.chance.randrange(FIRST)},{crowd.value()}" for _ in range(AN_IMPORT // 2)]
        rows += [f"I{number}-{row},{crowd.value()}" for row in range(AN_IMPORT // 2)]
        content = "\n".join(["Key,Number", *rows]).encode()
        done = await importer.imported("/collections/Contacts/imports", content, mode="upsert", key="Key")
        assert done["state"] == "done", done
        if number % 2 == 0:
            assert (await importer.undone(done["id"]))["state"] == "undone"


class Replay:
    """The records as the audit log has them."""

    def __init__(self) -> None:
        self.records: State = {}
        self.versions: Counter[int] = Counter()
        self.logged: set[tuple[int, str, Any]] = set()

    def play(self, action: str, subject: str, before: dict[str, Any], after: dict[str, Any]) -> None:
        number = int(subject.rpartition("/")[2]) if action.startswith("record.") else 0
        self.logged |= {(number, field, value) for field, value in after.items() if action.startswith("record.")}
        match action:
            case "record.create" | "record.restore":
                assert number not in self.records
                self.records[number] = dict(after)
                self.versions[number] = max(self.versions[number], 1)
            case "record.update":
                self._seen(number, before)
                self.records[number].update(after)
                self.versions[number] += 1
            case "record.delete":
                self._seen(number, before)
                del self.records[number]
            case "import.write":
                for one in _numbers(after["records"]):
                    self.records[one] = {}  # with the values of the file, which the next entry of each names
                    self.versions[one] = 1
            case "import.undo_rows":
                self._undone(before)

    def _seen(self, number: int, before: dict[str, Any]) -> None:
        known = self.records[number]
        assert {field: known[field] for field in before if field in known} == {
            field: value for field, value in before.items() if field in known
        }

    def _undone(self, before: dict[str, Any]) -> None:
        for first, last in before["records"]:
            for one in range(first, last + 1):
                if self.versions[one] == 1:
                    self.records.pop(one, None)


def _values(stored: str | None) -> dict[str, Any]:
    """Of one side of an entry: the name of the record stands beside them, under no field."""
    values: dict[str, Any] = (decode(stored) or {}) if stored else {}
    return {field: value for field, value in values.items() if field}


def _numbers(ranges: list[str]) -> list[int]:
    ends = [one.partition("-") for one in ranges]
    return [number for first, _, last in ends for number in range(int(first), int(last or first) + 1)]


@pytest.mark.parametrize("edits", [SAMPLE, pytest.param(WHOLE, marks=pytest.mark.full)])
@pytest.mark.parametrize("seed", [1])
async def test_nothing_is_lost_when_many_edit_at_once(
    workspace: Workspace, owner: dict[str, str], monkeypatch: pytest.MonkeyPatch, edits: int, seed: int
) -> None:
    monkeypatch.setenv("PYTHONPATH", ":".join(path for path in sys.path if path))
    for name, value in workspace.environ.items():  # the child inherits them, as in a pod
        monkeypatch.setenv(name, value)
    await workspace.collection(
        owner,
        {"name": "Key", "type": "text", "unique": True},
        {"name": "Name", "type": "text"},
        {"name": "Number", "type": "integer"},
    )
    people = [await workspace.user(owner, "member") for _ in range(PEOPLE)]
    crowd = Crowd(workspace, people, seed)
    rows = [{"values": {"Key": f"F{number}"}} for number in range(FIRST)]
    made = await workspace.client.post(f"{HERE}/records/batch", json={"create": rows}, headers=owner)
    crowd.ids += [one["id"] for one in made.json()["created"]]
    importer = Importer(workspace, owner)
    async with asyncio.TaskGroup() as group:
        group.create_task(imports(importer, crowd, max(1, edits // EDITS_AN_IMPORT)))
        group.create_task(crowd.work(edits))
    assert crowd.failures == []
    assert crowd.done.total() == edits
    assert set(crowd.done) == set(WEIGHTS)
    replay = Replay()
    async with workspace.app.state.services.database.read() as connection:
        for action, subject, before, after in await connection.fetch_all(
            f"SELECT action, subject, before_values, after_values FROM {workspace.audit_log} ORDER BY id"  # noqa: S608  our own name
        ):
            replay.play(action, subject, _values(before), _values(after))
    records = {one["id"]: one for one in await importer.records("Contacts")}
    assert set(records) == set(replay.records)
    for number, known in replay.records.items():
        assert {field: records[number]["values"][field] for field in known} == known, number
        assert records[number]["version"] == replay.versions[number], number
    assert crowd.told <= replay.logged
    usage = (await workspace.client.get("/api/v1/usage", headers=owner)).json()
    collection = (await workspace.client.get(HERE, headers=owner)).json()
    assert usage["records"]["used"] == collection["records"] == len(records)
