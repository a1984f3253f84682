"""Which record each row of a batch is, for an import that changes records by a key."""

import unicodedata
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from vivero_data.db.database import Connection
from vivero_data.domain.collections.names import fold
from vivero_data.domain.collections.schemas import Collection, Field
from vivero_data.domain.imports.convert import Converter, Failure, Row
from vivero_data.domain.imports.ids import IdSet
from vivero_data.domain.imports.plan import ID
from vivero_data.domain.records import repository as records
from vivero_data.domain.records.access import everything
from vivero_data.domain.users.schemas import Actor

TWICE: Final = "is in the file twice: this row and an earlier one have it"


class Matched(msgspec.Struct):
    """The rows of a batch: those that are new, those that a record is of, and those that are neither."""

    new: list[Row] = []
    known: list[tuple[int, Row]] = []
    failures: list[Failure] = []
    numbers: set[int] = set()


class Seen:
    """Values of a field that the file had so far, as the field's uniqueness compares them."""

    def __init__(self, field: Field | None) -> None:
        self._exact = field is None or field.kind.exact is None or field.exact
        self._hashes: set[int] = set()

    def add(self, value: Any) -> bool:  # noqa: ANN401  a column's value
        """False if it was there already."""
        hashed = hash(value if self._exact or not isinstance(value, str) else alike(value))
        if hashed in self._hashes:
            return False
        self._hashes.add(hashed)
        return True


def alike(text: str) -> str:
    """The text as people compare it: without case and accents."""
    return "".join(char for char in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(char))


class Keys:
    """Finds the records of rows; remembers the records that the import has had a row for."""

    def __init__(self, actor: Actor, key: str, touched: IdSet) -> None:
        self._actor = actor
        self._key = key
        self._touched = touched

    async def match(self, tx: Connection, collection: Collection, converter: Converter, rows: Sequence[Row]) -> Matched:
        """Divide a batch."""
        if fold(self._key) == ID:
            return await self._by_id(tx, collection, rows)
        place, field = next(
            (place, field) for place, field in enumerate(converter.fields) if fold(field.name) == fold(self._key)
        )
        return await self._by_value(tx, collection, field, rows, lambda row: row.values[place])

    async def _by_id(self, tx: Connection, collection: Collection, rows: Sequence[Row]) -> Matched:
        found = Matched()
        there = await records.existing(
            tx, everything(self._actor, collection), [row.record_id for row in rows if row.record_id]
        )
        for row in rows:
            if row.record_id is None:
                found.new.append(row)
            elif row.record_id not in there:
                found.failures.append(Failure(row.number, ID, "is no record of this collection", row.cells))
            else:
                self._take(found, row, row.record_id, ID)
        return found

    async def _by_value(
        self, tx: Connection, collection: Collection, field: Field, rows: Sequence[Row], value: Callable[[Row], Any]
    ) -> Matched:
        found, new = Matched(), Seen(field)
        filled = [row for row in rows if value(row) is not None]
        found.failures += [
            Failure(row.number, field.name, "is the key, and empty", row.cells) for row in rows if value(row) is None
        ]
        ids: dict[int, list[int]] = {}
        access = everything(self._actor, collection)
        for place, number in await records.find(tx, access, field, [value(row) for row in filled]):
            ids.setdefault(place, []).append(number)
        for place, row in enumerate(filled):
            numbers = ids.get(place, [])
            if len(numbers) > 1:
                reason = f"is the key of {len(numbers)} records"
                found.failures.append(Failure(row.number, field.name, reason, row.cells))
            elif numbers:
                self._take(found, row, numbers[0], field.name)
            elif new.add(value(row)):
                found.new.append(row)
            else:
                found.failures.append(Failure(row.number, field.name, TWICE, row.cells))
        return found

    def _take(self, found: Matched, row: Row, number: int, field: str) -> None:
        if number in self._touched or number in found.numbers:
            found.failures.append(Failure(row.number, field, TWICE, row.cells))
        else:
            found.numbers.add(number)
            found.known.append((number, row))
