"""What an update writes, with a record in memory in place of the tables."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any
from unicodedata import normalize

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from unit.data_plane.builders import collection, field
from unit.data_plane.strategies import TYPED
from unit.data_plane_web.fakes import NOW, FakeLimits, World
from vivero_data.db.database import Database
from vivero_data.domain.audit.repository import NewEntry
from vivero_data.domain.collections.schemas import present
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.records import held, merging, references, repository, service
from vivero_data.domain.records.access import Access, everything
from vivero_data.domain.records.errors import (
    ChangedFieldError,
    FieldConflictError,
    FieldPreconditionError,
    VersionConflictError,
)
from vivero_data.domain.records.merging import Touched, Written
from vivero_data.domain.records.schemas import Record, RecordChanges
from vivero_data.lib.json import decode, encode
from vivero_data.lib.notation import UNSET, Notation, Numbers
from vivero_web.conditions import Conditions
from vivero_web.errors import FieldError, InvalidInputError, PreconditionFailedError

THINGS = collection()
ACTOR = World().actor


class Stored(Database):
    """One record, and what was written of it."""

    def __init__(self) -> None:
        self.record = Record(1, 1, {}, NOW, NOW)
        self.written: list[Mapping[int, Any]] = []
        self.entries: list[tuple[Any, Any]] = []
        self.fields: dict[int, int] = {}
        self.written_in = UNSET
        self.removed: list[Any] = []

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        yield None

    async def access(self, *_: object) -> Access:
        return everything(ACTOR, THINGS)

    async def get(self, *_: object) -> Record:
        return self.record

    async def update(self, _tx: object, _collection: object, _id: int, values: Mapping[int, Any]) -> None:
        self.written.append(values)
        changed = {one.name: present(one, values[one.id]) for one in THINGS.fields if one.id in values}
        self.record = msgspec.structs.replace(
            self.record, values={**self.record.values, **changed}, version=self.record.version + 1
        )

    async def remember(self, _tx: object, _collection: int, changes: Sequence[Written]) -> None:
        for change in changes:
            self.fields |= dict.fromkeys(change.field_ids, change.version)

    async def touched(self, *_: object) -> dict[int, Touched]:
        return {1: Touched(self.record.version, 1, self.fields)}

    async def notation(self, *_: object) -> Notation:
        return self.written_in

    async def as_it_is(self, _connection: object, _collection: object, records: Sequence[Record]) -> list[Record]:
        return list(records)

    async def nothing_unknown(self, *_: object) -> list[FieldError]:
        return []

    async def log_all(self, _tx: object, _actor: object, entries: Sequence[NewEntry]) -> None:
        self.entries += [(entry.before, entry.after) for entry in entries]

    async def trashed(self, _tx: object, _actor: object, _collection: object, taken: Sequence[Any]) -> None:
        self.removed = [file for _, found in taken for files in found.values() for file in files]


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> Stored:
    made = Stored()
    monkeypatch.setattr(service, "access_to_write", made.access)
    monkeypatch.setattr(service, "log_all", made.log_all)
    monkeypatch.setattr(service, "notation_for", made.notation)
    monkeypatch.setattr(references, "resolved", made.as_it_is)
    monkeypatch.setattr(references, "unknown", made.nothing_unknown)
    monkeypatch.setattr(held, "keep", made.trashed)
    monkeypatch.setattr(merging, "remember", made.remember)
    monkeypatch.setattr(merging, "touched", made.touched)
    for name, call in (("get", made.get), ("get_locked", made.get), ("update", made.update)):
        monkeypatch.setattr(repository, name, call)
    return made


async def change(stored: Stored, values: dict[str, Any], version: int | None = None) -> Record:
    records = service.RecordService(stored, FakeLimits(World()))
    return await records.update(ACTOR, "Things", 1, RecordChanges(values, version))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(TYPED)
async def test_what_a_record_has_is_not_written_again(stored: Stored, pair: tuple[FieldType, Any]) -> None:
    kind, value = pair
    empty = dict.fromkeys((one.name for one in THINGS.fields), None)
    stored.record = Record(1, 1, {**empty, field(kind).name: value}, NOW, NOW)
    stored.written, stored.entries = [], []
    sent = decode(encode(stored.record.values))
    assert await change(stored, sent) is stored.record
    assert (stored.written, stored.entries) == ([], [])
    if kind.kind.computed:
        return
    await change(stored, {**sent, field(kind).name: None})
    assert [list(values.values()) for values in stored.written] == [[None]]
    assert stored.entries == [({field(kind).name: value}, {field(kind).name: None})]
    assert stored.removed == (value if kind.kind.uploaded else [])


@pytest.mark.parametrize(
    ("conditions", "holds"),
    [
        (Conditions(match=frozenset({'"1"', '"2"'})), True),
        (Conditions(match=frozenset({"*"})), True),
        (Conditions(match=frozenset({'"1"'})), True),  # nothing that it changes was changed since
        (Conditions(match=frozenset({'"3"'})), False),
        (Conditions(match=frozenset({'"x"'})), False),
        (Conditions(none_match=frozenset({"*"})), False),
        (Conditions(none_match=frozenset({'"1"'})), True),
    ],
)
async def test_a_condition_is_held_against_what_is_there(
    stored: Stored, conditions: Conditions, *, holds: bool
) -> None:
    empty = dict.fromkeys((one.name for one in THINGS.fields), None)
    stored.record = msgspec.structs.replace(stored.record, version=2, values={**empty, "Text": "a"})
    records = service.RecordService(stored, FakeLimits(World()))
    call = records.update(ACTOR, "Things", 1, RecordChanges({"Text": "b"}), conditions)
    if holds:
        await call
    else:
        with pytest.raises(PreconditionFailedError):
            await call
    assert bool(stored.written) is holds


def stale(stored: Stored, **changed: int) -> None:
    """The record at version 3; the fields named were changed in these versions."""
    empty = dict.fromkeys((one.name for one in THINGS.fields), None)
    stored.record = msgspec.structs.replace(stored.record, version=3, values={**empty, "Text": "theirs"})
    stored.fields = {one.id: changed[one.name] for one in THINGS.fields if one.name in changed}


async def test_a_change_of_other_fields_than_theirs_is_merged(stored: Stored) -> None:
    stale(stored, Text=3)
    merged = await change(stored, {"Integer": 7}, version=1)
    assert (merged.values["Text"], merged.values["Integer"], merged.version) == ("theirs", 7, 4)


async def test_the_same_field_is_refused_with_both_values(stored: Stored) -> None:
    stale(stored, Text=2)
    with pytest.raises(FieldConflictError) as caught:
        await change(stored, {"Text": "mine", "Integer": 7}, version=1)
    assert list(caught.value.errors) == [
        ChangedFieldError("Text", "was changed by somebody else meanwhile", theirs="theirs", yours="mine")
    ]
    records = service.RecordService(stored, FakeLimits(World()))
    by_header = Conditions(match=frozenset({'"1"'}))
    with pytest.raises(FieldPreconditionError):
        await records.update(ACTOR, "Things", 1, RecordChanges({"Text": "mine"}), by_header)
    assert stored.written == []


async def test_a_field_that_changed_before_ones_version_is_ones_own_to_change(stored: Stored) -> None:
    stale(stored, Text=2, Integer=3)
    assert (await change(stored, {"Text": "mine"}, version=2)).values["Text"] == "mine"


async def test_the_same_value_as_theirs_is_no_conflict_and_writes_nothing(stored: Stored) -> None:
    stale(stored, Text=3)
    assert await change(stored, {"Text": "theirs"}, version=1) is stored.record
    assert stored.written == []


async def test_a_version_that_does_not_exist_yet_is_refused(stored: Stored) -> None:
    stale(stored)
    with pytest.raises(VersionConflictError):
        await change(stored, {"Text": "mine"}, version=4)


@pytest.mark.parametrize(("version", "since"), [(2, 1), (3, 2)])
async def test_what_an_older_program_may_have_changed_is_not_overwritten(
    stored: Stored, monkeypatch: pytest.MonkeyPatch, version: int, since: int
) -> None:
    stale(stored)

    async def touched(*_: object) -> dict[int, Touched]:
        return {1: Touched(version, since, {})}

    monkeypatch.setattr(merging, "touched", touched)
    with pytest.raises(FieldConflictError):
        await change(stored, {"Text": "mine"}, version=1)


async def test_what_was_typed_is_read_as_a_table_shows_it(stored: Stored) -> None:
    stale(stored)
    records = service.RecordService(stored, FakeLimits(World()))
    typed = {"Number": "1.234,50", "Boolean": "yes", "Text": " "}
    after = await records.update(ACTOR, "Things", 1, RecordChanges(typed, typed=True))
    assert (after.values["Number"], after.values["Boolean"], after.values["Text"]) == (Decimal("1234.5"), True, None)


async def test_what_was_typed_is_read_in_the_workspaces_notation(stored: Stored) -> None:
    stale(stored)
    stored.written_in = Notation(Numbers.COMMA)
    records = service.RecordService(stored, FakeLimits(World()))
    after = await records.update(ACTOR, "Things", 1, RecordChanges({"Number": "1.234"}, typed=True))
    assert after.values["Number"] == Decimal(1234)


def test_a_field_is_found_by_its_name_taken_apart() -> None:
    things = collection(field(FieldType.CHOICE, 5, name="Größe", choices=("größer", "x")))
    given_name, given_choice = normalize("NFD", "Größe"), normalize("NFD", "größer")
    assert service.columns_for(things, {given_name: given_choice}, new=True) == {5: "größer"}
    with pytest.raises(InvalidInputError) as caught:
        service.columns_for(things, {given_name: "x", "Größe": "x"}, new=True)
    assert [error.message for error in caught.value.errors] == ["is given twice"]
