"""Writes an import's batches, each in one transaction."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from vivero_web.errors import WebError

from vivero_data.db.database import Connection, Database
from vivero_data.db.errors import DuplicateKeyError, MissingTableError
from vivero_data.domain.audit.service import record
from vivero_data.domain.collections import repository as collections
from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.collections.service import CollectionNotFoundError
from vivero_data.domain.imports import repository
from vivero_data.domain.imports.convert import Converter, Failure, Row
from vivero_data.domain.imports.repository import Counts, Work
from vivero_data.domain.jobs.task import JobLostError, TaskContext
from vivero_data.domain.records import repository as records
from vivero_data.domain.records.errors import TAKEN, ValueTakenError
from vivero_data.domain.records.service import as_field_error
from vivero_data.errors import PlanLimitError

_RECORDS: Final = "records"


class FieldsChangedError(WebError):
    """Somebody changed the fields of the collection since the rows were converted."""


class Written:
    """What a batch wrote: ids of new records as ranges, and the values that changed records had."""

    def __init__(self) -> None:
        self.made: list[list[int]] = []
        self.changed: list[list[Any]] = []
        self.failures: list[Failure] = []
        self.counts = Counts()

    def add_made(self, ids: Sequence[int]) -> None:
        self.counts.inserted += len(ids)
        for number in ids:
            if self.made and self.made[-1][1] == number - 1:
                self.made[-1][1] = number
            else:
                self.made.append([number, number])

    def add_failures(self, failures: Sequence[Failure]) -> None:
        self.counts.failed += len(failures)
        self.failures += failures

    def to_undo(self) -> dict[str, Any]:
        return {"made": self.made, "changed": self.changed} if self.made or self.changed else {}


class Writer:
    """Writes batches for one attempt."""

    def __init__(self, context: TaskContext, work: Work) -> None:
        self._context = context
        self._database = context.database
        self._limits = context.limits
        self._work = work

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
            return await self._limits.room(connection, _RECORDS) or 0

    async def _write(
        self,
        collection: Collection,
        converter: Converter,
        last_row: int,
        rows: Sequence[Row],
        failures: Sequence[Failure],
    ) -> None:
        async with self._database.transaction() as tx:
            written = Written()
            written.add_failures(failures)
            await self._limits.reserve(tx, _RECORDS, len(rows))
            current = await collections.get_held_by_id(tx, collection.id)
            if current is not None and current.fields != collection.fields:
                raise FieldsChangedError
            try:
                await self._insert(tx, collection, converter, rows, written)
            except MissingTableError as error:
                raise CollectionNotFoundError from error
            await self._limits.release(tx, _RECORDS, len(rows) - written.counts.inserted)
            await collections.add_records(tx, collection.id, written.counts.inserted)
            await self._note(tx, collection, last_row, written)

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
        await repository.add_batch(tx, work.id, last_row, written.to_undo(), failures)
        if written.made:
            after: Mapping[str, Any] = {"import": work.id, "records": _ranges(written.made)}
            await record(tx, self._context.actor, "import.write", collection.name, after=after)


def _ranges(made: Sequence[Sequence[int]]) -> list[str]:
    return [str(first) if first == last else f"{first}-{last}" for first, last in made]


def _refused(collection: Collection, row: Row, error: DuplicateKeyError) -> Failure:
    known = as_field_error(collection, error)
    if not isinstance(known, ValueTakenError):
        raise known from error
    return Failure(row.number, known.errors[0].field, TAKEN, row.cells)


async def definition_of(database: Database, collection_id: int) -> Collection:
    """The collection as it is now.

    Raises:
        CollectionNotFoundError: somebody deleted it.
    """
    async with database.read() as connection:
        collection = await collections.get_by_id(connection, collection_id)
    if collection is None:
        raise CollectionNotFoundError
    return collection
