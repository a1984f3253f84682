"""Writes an import's batches, each in one transaction."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from vivero_web.errors import WebError

from vivero_data.db.database import Connection, Database, batches
from vivero_data.db.errors import DuplicateKeyError, MissingTableError
from vivero_data.domain.audit.service import record, record_all
from vivero_data.domain.collections import repository as collections
from vivero_data.domain.collections.names import fold
from vivero_data.domain.collections.schemas import Collection, Field
from vivero_data.domain.collections.service import CollectionNotFoundError
from vivero_data.domain.imports import repository
from vivero_data.domain.imports.convert import Converter, Failure, Row
from vivero_data.domain.imports.ids import IdSet, add_to_ranges, numbers_of
from vivero_data.domain.imports.keys import TWICE, Keys, Seen
from vivero_data.domain.imports.repository import Counts, Work
from vivero_data.domain.jobs.task import JobLostError, TaskContext
from vivero_data.domain.records import repository as records
from vivero_data.domain.records.access import access_by_id, everything
from vivero_data.domain.records.entries import entry_of_change
from vivero_data.domain.records.errors import TAKEN, ValueTakenError
from vivero_data.domain.records.schemas import Record
from vivero_data.domain.records.service import as_field_error, changed_values
from vivero_data.domain.users.schemas import Actor
from vivero_data.errors import PlanLimitError

_RECORDS: Final = "records"


class FieldsChangedError(WebError):
    """Somebody changed the fields of the collection since the rows were converted."""


class Written:
    """What a batch wrote: ids of new records as ranges, and the values that changed records had."""

    def __init__(self) -> None:
        self.made: list[list[int]] = []
        self.changed: list[tuple[int, int, dict[int, Any]]] = []
        self.same: list[list[int]] = []
        self.failures: list[Failure] = []
        self.counts = Counts()

    def add_made(self, ids: Sequence[int]) -> None:
        self.counts.inserted += len(ids)
        for number in ids:
            add_to_ranges(self.made, number)

    def add_same(self, number: int) -> None:
        self.counts.unchanged += 1
        add_to_ranges(self.same, number)

    def add_failures(self, failures: Sequence[Failure]) -> None:
        self.counts.failed += len(failures)
        self.failures += failures

    def to_undo(self) -> dict[str, Any]:
        if not self.made and not self.changed and not self.same:
            return {}
        return {"made": self.made, "changed": self.changed, "same": self.same}


def touched(written: Mapping[str, Any]) -> Iterator[int]:
    """The records that a batch had a row for."""
    yield from numbers_of(written["made"])
    yield from (one[0] for one in written["changed"])
    yield from numbers_of(written["same"])


class _Change(msgspec.Struct, frozen=True):
    """A record, its row, and the values that differ, by field id."""

    record: Record
    row: Row
    values: dict[int, Any]


class Writer:
    """Writes batches for one attempt."""

    def __init__(self, context: TaskContext, work: Work) -> None:
        self._context = context
        self._database = context.database
        self._limits = context.limits
        self._work = work
        self._touched = IdSet()
        self._inserted = 0
        self._seen: dict[int, Seen] = {}
        self._keys = Keys(context.actor, work.key, self._touched) if work.key else None

    async def open(self) -> None:
        """Remember the records of the batches before this attempt."""
        last: int | None = 0 if self._keys else None
        while last is not None:
            async with self._database.read() as connection:
                found = await repository.written(connection, self._work.id, last)
            last = found[0] if found else None
            self._touched.add_all(touched(found[1]) if found else ())

    async def write_all(
        self,
        collection: Collection,
        converter: Converter,
        last_row: int,
        rows: Sequence[Row],
        failures: Sequence[Failure],
    ) -> None:
        """Write a batch that ends at row `last_row`; of one that exceeds the plan's limit, what there is room for.

        Raises:
            PlanLimitError: there is no room for the rest.
        """
        try:
            await self._write(collection, converter, last_row, rows, failures)
        except PlanLimitError:
            room = await self._room()
            if 0 < room < len(rows):
                kept = rows[:room]
                upto = [one for one in failures if one.row <= kept[-1].number]
                await self._write(collection, converter, kept[-1].number, kept, upto)
            raise

    async def _room(self) -> int:
        async with self._database.read() as connection:
            left = await self._limits.room(connection, _RECORDS) or 0
        return left - (self._inserted if self._work.dry_run else 0)

    async def _write(
        self,
        collection: Collection,
        converter: Converter,
        last_row: int,
        rows: Sequence[Row],
        failures: Sequence[Failure],
    ) -> None:
        written = Written()
        written.add_failures(failures)
        if self._work.dry_run:
            await self._rehearse(collection, converter, rows, written)
        async with self._database.transaction() as tx:
            if not self._work.dry_run:
                await self._apply(tx, collection, converter, rows, written)
            await self._note(tx, collection, last_row, written)
        self._touched.add_all(touched(written.to_undo()) if written.to_undo() and not self._work.dry_run else ())
        self._inserted += written.counts.inserted

    async def _apply(
        self, tx: Connection, collection: Collection, converter: Converter, rows: Sequence[Row], written: Written
    ) -> None:
        """Write the rows; the counter of records is locked first, as everywhere."""
        try:
            await self._limits.hold(tx, _RECORDS)
            current = await collections.get_held_by_id(tx, collection.id)
            if current is not None and current.fields != collection.fields:
                raise FieldsChangedError
            new = list(rows)
            if self._keys:
                matched = await self._keys.match(tx, collection, converter, rows)
                new = matched.new
                written.add_failures(matched.failures)
                await self._change(tx, collection, converter, matched.known, written)
            ahead = self._inserted if self._work.dry_run else 0
            await self._limits.reserve(tx, _RECORDS, len(new) + ahead)
            await self._insert(tx, collection, converter, new, written)
            if refused := len(new) - written.counts.inserted:
                await self._limits.release(tx, _RECORDS, refused)
            await collections.add_records(tx, collection.id, written.counts.inserted)
        except MissingTableError as error:
            raise CollectionNotFoundError from error

    async def _rehearse(
        self, collection: Collection, converter: Converter, rows: Sequence[Row], written: Written
    ) -> None:
        """Count what would be written, and leave nothing of it."""
        fresh = self._unseen(converter, rows, written)
        if not collection.id:  # it would be made
            written.counts.inserted += len(fresh)
            return
        async with self._database.rehearsal() as tx:
            await self._apply(tx, collection, converter, fresh, written)

    def _unseen(self, converter: Converter, rows: Sequence[Row], written: Written) -> list[Row]:
        """Without the rows whose unique values an earlier one had: what that one wrote is rolled back by now."""
        fresh = []
        for row in rows:
            again = next(
                (field for place, field in enumerate(converter.fields) if self._is_again(field, row.values[place])),
                None,
            )
            if again is None:
                fresh.append(row)
            else:
                written.add_failures([Failure(row.number, again.name, TWICE, row.cells)])
        return fresh

    def _is_again(self, field: Field, value: Any) -> bool:  # noqa: ANN401  a column's value
        is_key = self._work.key is not None and fold(field.name) == fold(self._work.key)
        if value is None or not (field.unique or is_key):
            return False
        return not self._seen.setdefault(field.id, Seen(field)).add(value)

    async def _change(
        self,
        tx: Connection,
        collection: Collection,
        converter: Converter,
        known: Sequence[tuple[int, Row]],
        written: Written,
    ) -> None:
        """Change the records of rows, and log each change as one by hand."""
        access = everything(self._context.actor, collection)
        before = await records.get_all_locked(tx, access, [number for number, _ in known]) if known else {}
        wanted: list[_Change] = []
        for number, row in sorted(known, key=lambda one: one[0]):
            values = {field.id: value for field, value in zip(converter.fields, row.values, strict=True)}
            news = changed_values(collection, before[number], values)
            if news:
                wanted.append(_Change(before[number], row, news))
            else:
                written.add_same(number)
        for part in batches(wanted):
            await self._update(tx, collection, part, written)

    async def _update(
        self, tx: Connection, collection: Collection, changes: Sequence[_Change], written: Written
    ) -> None:
        """Change records with one statement; if a unique key refuses it, find out which by halving."""
        try:
            await records.update_all(tx, collection, [(one.record.id, one.values) for one in changes])
        except DuplicateKeyError as error:
            if len(changes) == 1:
                written.add_failures([_refused(collection, changes[0].row, error)])
                return
            middle = len(changes) // 2
            await self._update(tx, collection, changes[:middle], written)
            await self._update(tx, collection, changes[middle:], written)
            return
        written.counts.updated += len(changes)
        names = {field.id: field.name for field in collection.fields}
        for one in changes:
            old = {number: one.record.values[names[number]] for number in one.values}
            written.changed.append((one.record.id, one.record.version + 1, old))
        entries = [entry_of_change(collection, one.record, one.values) for one in changes]
        await record_all(tx, self._context.actor, entries)

    async def _insert(
        self, tx: Connection, collection: Collection, converter: Converter, rows: Sequence[Row], written: Written
    ) -> None:
        """Insert rows with one statement; if a unique key refuses it, find out which rows by halving."""
        if not rows:
            return
        try:
            values = [row.values + converter.defaults for row in rows]
            written.add_made(await records.insert_rows(tx, collection, [*converter.fields, *converter.others], values))
        except DuplicateKeyError as error:
            if len(rows) == 1:
                written.add_failures([_refused(collection, rows[0], error)])
                return
            middle = len(rows) // 2
            await self._insert(tx, collection, converter, rows[:middle], written)
            await self._insert(tx, collection, converter, rows[middle:], written)

    async def _note(self, tx: Connection, collection: Collection, last_row: int, written: Written) -> None:
        counts, work = written.counts, self._work
        counts.done = counts.inserted + counts.updated + counts.unchanged + counts.failed
        if not await repository.advance(tx, work.id, self._context.token, last_row, counts):
            raise JobLostError
        failures = sorted(written.failures, key=lambda one: one.row)
        to_undo = {} if work.dry_run else written.to_undo()
        await repository.add_batch(tx, work.id, last_row, to_undo, failures)
        if to_undo and written.made:
            after: Mapping[str, Any] = {"import": work.id, "records": _ranges(written.made)}
            await record(tx, self._context.actor, "import.write", collection.name, after=after)


def _ranges(made: Sequence[Sequence[int]]) -> list[str]:
    return [str(first) if first == last else f"{first}-{last}" for first, last in made]


def _refused(collection: Collection, row: Row, error: DuplicateKeyError) -> Failure:
    known = as_field_error(collection, error)
    if not isinstance(known, ValueTakenError):
        raise known from error
    return Failure(row.number, known.errors[0].field, TAKEN, row.cells)


async def definition_of(database: Database, actor: Actor, collection_id: int) -> Collection:
    """The collection as it is now, for an import of the actor's.

    Raises:
        CollectionNotFoundError: somebody deleted it.
        NotAllowedError: their role does not see all of it any more.
    """
    async with database.read() as connection:
        access = await access_by_id(connection, actor, collection_id)
    if access is None:
        raise CollectionNotFoundError
    access.require_whole()
    return access.whole
