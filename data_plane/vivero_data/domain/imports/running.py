"""An attempt of an import, in the child process: reads the file, and writes its rows a batch at a time.

A batch's transaction holds its records, its counts, what undoing it needs and the checkpoint behind it. So an attempt that
was killed anywhere has written whole batches, and the next one goes on behind the last.
"""

import asyncio
from collections.abc import Iterator
from typing import Final

from vivero_web import clock
from vivero_web.errors import InvalidInputError, UnavailableError, WebError

from vivero_data.db.database import Connection
from vivero_data.domain.audit.service import record
from vivero_data.domain.collections.definition import as_field
from vivero_data.domain.collections.definition import check as checked_definition
from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.collections.service import CollectionService
from vivero_data.domain.imports import repository
from vivero_data.domain.imports.convert import Converter, Failure, Row
from vivero_data.domain.imports.indexes import add_indexes, without_indexes
from vivero_data.domain.imports.plan import check, definition, in_zone, parsed_mapping, plan_of
from vivero_data.domain.imports.reading import read_whole
from vivero_data.domain.imports.repository import Work
from vivero_data.domain.imports.schemas import ColumnPlan, ImportNotFoundError, ImportState, Reading
from vivero_data.domain.imports.source import opener
from vivero_data.domain.imports.tables import Format, Numbered, Table
from vivero_data.domain.imports.writing import FieldsChangedError, Writer, definition_of
from vivero_data.domain.jobs.task import JobLostError, TaskContext
from vivero_data.domain.notation.service import notation_of
from vivero_data.domain.users.schemas import Permission, require_permission
from vivero_data.errors import PlanLimitError

_END: Final[list[Numbered]] = []


class Running:
    """One attempt."""

    def __init__(self, context: TaskContext, import_id: int) -> None:
        self._context = context
        self._database = context.database
        self._id = import_id
        self._token = context.token

    async def run(self) -> None:
        """Until the end, or until a person has to look at the plan.

        Raises:
            UnavailableError: the job is tried again, and goes on.
            WebError: the import has failed, and says why.
        """
        work = await self._begin()
        try:
            await self._carry_out(work)
        except (JobLostError, UnavailableError):
            raise
        except WebError as error:
            async with self._database.transaction() as tx:
                await repository.end(tx, self._id, ImportState.FAILED, error.detail)
                await record(tx, self._context.actor, "import.fail", work.collection_name, after={"import": self._id})
            raise

    async def _begin(self) -> Work:
        async with self._database.read() as connection:
            if not await repository.begin(connection, self._id, self._token, ImportState.RUNNING):
                raise JobLostError
            await repository.begin_again_if_dry(connection, self._id)
            work = await repository.work(connection, self._id)
        if work is None:
            raise ImportNotFoundError
        require_permission(self._context.actor, Permission.WRITE_RECORDS)
        return work

    async def _carry_out(self, work: Work) -> None:
        files = self._context.files
        open_file = opener(work.file_size, lambda part: files.read_part(work.file_id, work.file_size, part))
        reading = work.reading
        if reading is None:
            reading = await asyncio.to_thread(
                read_whole, open_file, work.file_name, lambda rows: self._context.progress(rows, None)
            )
            async with self._database.read() as connection:
                if not await repository.set_reading(connection, self._id, self._token, reading):
                    raise JobLostError
        if work.asks:
            await self._finish(work, ImportState.READY)
            return
        columns, collection = await self._prepared(work, reading)
        form = Format(reading.kind, reading.encoding, reading.delimiter)
        table = await asyncio.to_thread(Table, open_file, form)
        try:
            await self._write(work, reading, table.batches(work.last_row), columns, collection)
        except PlanLimitError:
            await self._index(work, columns, collection)
            raise
        await self._index(work, columns, collection)
        await self._finish(work, ImportState.DONE)

    async def _prepared(self, work: Work, reading: Reading) -> tuple[tuple[ColumnPlan, ...], Collection]:
        """Where the columns go, and the collection, which is made if it is not there yet."""
        mapping, collection = parsed_mapping(work.mapping), None
        if work.collection_id is not None:
            collection = await definition_of(self._database, self._context.actor, work.collection_id)
        async with self._database.read() as connection:
            zone = (await notation_of(connection)).zone
        columns = in_zone(plan_of(reading, mapping, None if work.makes else collection).columns, zone)
        check(columns, work.key)
        if collection is None:
            collection = await self._made(work, columns)
        return columns, collection

    async def _made(self, work: Work, columns: tuple[ColumnPlan, ...]) -> Collection:
        wanted = definition(work.collection_name, columns, work.file_name)
        if work.dry_run:
            fields = (as_field(field, number) for number, field in enumerate(checked_definition(wanted).fields, 1))
            return Collection(0, wanted.name, wanted.description, tuple(fields), 0, clock.now())

        async def note(tx: Connection, made: Collection) -> None:
            if not await repository.set_collection(tx, self._id, self._token, made.id):
                raise JobLostError

        service = CollectionService(self._database, self._context.limits)
        return await service.create(self._context.actor, without_indexes(wanted), note)

    async def _index(self, work: Work, columns: tuple[ColumnPlan, ...], collection: Collection) -> None:
        """Give a collection that the import has made its indexes."""
        if work.makes and not work.dry_run:
            wanted = definition(work.collection_name, columns, work.file_name)
            await add_indexes(self._database, wanted, collection.id)

    async def _write(
        self,
        work: Work,
        reading: Reading,
        batches: Iterator[list[Numbered]],
        columns: tuple[ColumnPlan, ...],
        collection: Collection,
    ) -> None:
        writer = Writer(self._context, work)
        await writer.open()
        converter, done = Converter(collection, columns), work.done
        require_all(converter)
        used = converter
        following = asyncio.create_task(asyncio.to_thread(_next, batches, used))
        try:
            while True:
                batch, rows, failures = await following
                if not batch:
                    return
                if used is not converter:  # the fields changed meanwhile
                    rows, failures = converter.rows(batch)
                used = converter
                following = asyncio.create_task(asyncio.to_thread(_next, batches, used))
                while True:
                    try:
                        await writer.write_all(collection, converter, batch[-1][0], rows, failures)
                    except FieldsChangedError:
                        collection = await definition_of(self._database, self._context.actor, collection.id)
                        converter = Converter(collection, columns)
                        require_all(converter)
                        rows, failures = converter.rows(batch)
                    else:
                        break
                done += len(batch)
                self._context.progress(done, reading.rows)
        finally:
            following.cancel()

    async def _finish(self, work: Work, state: ImportState) -> None:
        async with self._database.transaction() as tx:
            await repository.end(tx, self._id, state)
            if state is ImportState.DONE:
                after = {"import": self._id, **await repository.counts(tx, self._id)}
                await record(tx, self._context.actor, "import.finish", work.collection_name, after=after)
            await self._context.finish(tx, {"import_id": self._id})


def _next(batches: Iterator[list[Numbered]], converter: Converter) -> tuple[list[Numbered], list[Row], list[Failure]]:
    """The next batch and its rows; an empty one at the end. Runs in a thread while the one before is written."""
    batch = next(batches, _END)
    rows, failures = converter.rows(batch)
    return batch, rows, failures


def require_all(converter: Converter) -> None:
    """Raises InvalidInputError if no row could be written, because a required field is in no column."""
    if converter.missing:
        raise InvalidInputError.of("mapping", f"leaves out what every record must have: {', '.join(converter.missing)}")
