"""What an update writes, with a record in memory in place of the tables."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from unicodedata import normalize

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from unit.data_plane.builders import collection, field
from unit.data_plane.strategies import TYPED
from unit.data_plane_web.fakes import NOW, FakeLimits, World
from vivero_data.db.database import Database
from vivero_data.domain.collections.schemas import Collection, present
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.records import repository, service
from vivero_data.domain.records.errors import VersionConflictError
from vivero_data.domain.records.schemas import Record, RecordChanges
from vivero_data.lib.json import decode, encode
from vivero_web.conditions import Conditions
from vivero_web.errors import InvalidInputError, PreconditionFailedError

THINGS = collection()
ACTOR = World().actor


class Stored(Database):
    """One record, and what was written of it."""

    def __init__(self) -> None:
        self.record = Record(1, 1, {}, NOW, NOW)
        self.written: list[Mapping[int, Any]] = []
        self.logged: list[tuple[Any, Any]] = []

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        yield None

    async def definition(self, *_: object) -> Collection:
        return THINGS

    async def get(self, *_: object) -> Record:
        return self.record

    async def update(self, _tx: object, _collection: object, _id: int, values: Mapping[int, Any]) -> None:
        self.written.append(values)
        changed = {one.name: present(one, values[one.id]) for one in THINGS.fields if one.id in values}
        self.record = msgspec.structs.replace(
            self.record, values={**self.record.values, **changed}, version=self.record.version + 1
        )

    async def log(self, *_: object, before: object, after: object) -> None:
        self.logged.append((before, after))


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> Stored:
    made = Stored()
    monkeypatch.setattr(service, "definition_of", made.definition)
    monkeypatch.setattr(service, "log", made.log)
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
    stored.written, stored.logged = [], []
    sent = decode(encode(stored.record.values))
    assert await change(stored, sent) is stored.record
    assert (stored.written, stored.logged) == ([], [])
    await change(stored, {**sent, field(kind).name: None})
    assert [list(values.values()) for values in stored.written] == [[None]]
    assert stored.logged == [({field(kind).name: value}, {field(kind).name: None})]


@pytest.mark.parametrize(
    ("conditions", "holds"),
    [
        (Conditions(match=frozenset({'"1"', '"2"'})), True),
        (Conditions(match=frozenset({"*"})), True),
        (Conditions(match=frozenset({'"1"'})), False),
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


async def test_a_stale_version_is_refused_before_anything_is_compared(stored: Stored) -> None:
    stored.record = msgspec.structs.replace(stored.record, version=2, values={"Text": "a"})
    with pytest.raises(VersionConflictError):
        await change(stored, {"Text": "a"}, version=1)


def test_a_field_is_found_by_its_name_taken_apart() -> None:
    things = collection(field(FieldType.CHOICE, 5, name="Größe", choices=("größer", "x")))
    given_name, given_choice = normalize("NFD", "Größe"), normalize("NFD", "größer")
    assert service.columns_for(things, {given_name: given_choice}, new=True) == {5: "größer"}
    with pytest.raises(InvalidInputError) as caught:
        service.columns_for(things, {given_name: "x", "Größe": "x"}, new=True)
    assert [error.message for error in caught.value.errors] == ["is given twice"]
