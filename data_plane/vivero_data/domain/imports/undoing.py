"""An attempt to take an import back, in the child process: batch after batch from the last, each in one transaction."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from vivero_web.errors import UnavailableError, WebError

from vivero_data.db.database import Connection, batches
from vivero_data.db.errors import DuplicateKeyError, MissingTableError
from vivero_data.domain.audit.service import record, record_all
from vivero_data.domain.collections import repository as collections
from vivero_data.domain.collections.schemas import Collection, parse
from vivero_data.domain.collections.service import CollectionNotFoundError, CollectionService
from vivero_data.domain.field_types.kind import InvalidValueError
from vivero_data.domain.imports import repository
from vivero_data.domain.imports.repository import Work
from vivero_data.domain.imports.schemas import ImportNotFoundError, ImportState
from vivero_data.domain.jobs.task import JobLostError, TaskContext
from vivero_data.domain.records import repository as records
from vivero_data.domain.records.access import everything
from vivero_data.domain.records.entries import entry_of_change
from vivero_data.domain.records.schemas import Record
from vivero_data.domain.users.schemas import Actor

_RECORDS: Final = "records"
_MOST_RANGES: Final = 100  # of ids that one statement looks for


class _ChangedError(WebError):
    """The collection has records that are not as the import made them."""


class Undoing:
    """One attempt."""

    def __init__(self, context: TaskContext, import_id: int) -> None:
        self._context = context
        self._database = context.database
        self._id = import_id

    async def run(self) -> None:
        """Until nothing is left to take back. Errors as `Running.run`."""
        work = await self._begin()
        try:
            if not await self._drop(work):
                while await self._one(work):
                    pass  # until the first batch is undone
                await self._drop(work)
        except (JobLostError, UnavailableError):
            raise
        except WebError as error:
            async with self._database.transaction() as tx:
                await repository.end(tx, self._id, ImportState.FAILED, error.detail)
            raise
        async with self._database.transaction() as tx:
            await repository.end(tx, self._id, ImportState.UNDONE)
            after = {"import": self._id, "kept": (await repository.counts(tx, self._id))["kept"]}
            await record(tx, self._context.actor, "import.undo_finish", work.collection_name, after=after)
            await self._context.finish(tx, {"import_id": self._id})

    async def _begin(self) -> Work:
        async with self._database.read() as connection:
            if not await repository.begin(connection, self._id, self._context.token, ImportState.UNDOING):
                raise JobLostError
            work = await repository.work(connection, self._id)
        if work is None:
            raise ImportNotFoundError
        return work

    async def _one(self, work: Work) -> bool:
        """Undo the newest batch; False if there is none, or the collection is gone with all of them."""
        if work.collection_id is None:
            return False
        async with self._database.transaction() as tx:
            await self._context.limits.hold(tx, _RECORDS)
            found = await repository.last_batch(tx, self._id)
            collection = await collections.get_held_by_id(tx, work.collection_id)
            if found is None or collection is None:
                return False
            last_row, written = found
            try:
                removed, left = await _remove(tx, self._context.actor, collection, written["made"])
                left += await _restore(tx, self._context.actor, collection, written["changed"])
            except MissingTableError:
                return False
            await self._context.limits.release(tx, _RECORDS, removed)
            await collections.add_records(tx, collection.id, -removed)
            if not await repository.forget_written(tx, self._id, self._context.token, last_row, left):
                raise JobLostError
            before = {"import": self._id, "records": written["made"], "changed": [one[0] for one in written["changed"]]}
            await record(tx, self._context.actor, "import.undo_rows", collection.name, before=before)
        return True

    async def _drop(self, work: Work) -> bool:
        """Put the collection that the import made into the trash, if nobody changed a record of it or added one."""
        if work.collection_id is None or not work.makes:
            return False
        async with self._database.read() as connection:
            collection = await collections.get_by_id(connection, work.collection_id)
            made = await repository.made(connection, self._id)
        if collection is None or len(made) > _MOST_RANGES:
            return False

        async def check(tx: Connection, current: Collection) -> None:
            if await records.count_unchanged(tx, current, made) < current.records:
                raise _ChangedError

        service = CollectionService(self._database, self._context.limits)
        try:
            await service.delete(self._context.actor, collection.name, check)
        except (_ChangedError, CollectionNotFoundError):  # or somebody else was faster
            return False
        return True


async def _remove(tx: Connection, actor: Actor, collection: Collection, made: list[list[int]]) -> tuple[int, int]:
    """Delete the records that nobody changed; returns how many, and how many are left."""
    removed = left = 0
    for first, last in made:
        removed += await records.delete_unchanged(tx, collection, first, last)
        left += await records.count_between(tx, everything(actor, collection), first, last)
    return removed, left


Change = tuple[Record, Mapping[int, Any]]
"""A record, and the column values that it had before the import, by field id."""


async def _restore(tx: Connection, actor: Actor, collection: Collection, changed: list[list[Any]]) -> int:
    """Give records the values back that they had, unless they are of another version by now; returns how many are left."""
    if not changed:
        return 0
    found = await records.get_all_locked(tx, everything(actor, collection), [one[0] for one in changed])
    fields = {str(field.id): field for field in collection.fields}
    wanted: list[Change] = []
    left = 0
    for number, version, before in reversed(changed):  # a unique value may have gone from one record to the next
        current = found.get(number)
        if current is None:
            continue
        if current.version != version or not before.keys() <= fields.keys():
            left += 1
            continue
        try:
            values = {
                fields[key].id: None if value is None else parse(fields[key], value) for key, value in before.items()
            }
        except InvalidValueError:
            left += 1
        else:
            wanted.append((current, values))
    for part in batches(wanted):
        left += await _update(tx, actor, collection, part)
    return left


async def _update(tx: Connection, actor: Actor, collection: Collection, changes: Sequence[Change]) -> int:
    """Set and log values with few statements; if a unique key refuses them, by halves. Returns how many records are left."""
    try:
        await records.update_all(tx, collection, [(record.id, values) for record, values in changes])
    except DuplicateKeyError:
        if len(changes) == 1:
            return 1
        middle = len(changes) // 2
        first = await _update(tx, actor, collection, changes[:middle])
        return first + await _update(tx, actor, collection, changes[middle:])
    await record_all(tx, actor, [entry_of_change(collection, one, values) for one, values in changes])
    return 0
