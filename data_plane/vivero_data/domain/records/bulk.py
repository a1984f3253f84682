"""One change of many records: a value of one field, a copy of each, or into the trash; undone as a whole.

What was before is an entry of the trash, whose rows are added in the transactions that change the records. Some hundred
records are changed at once; more, or all that match a query, by a job that goes on after the last row of its entry.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec
from vivero_web.errors import ConflictError, InvalidInputError

from vivero_data.db.database import Connection
from vivero_data.db.errors import DuplicateKeyError, MissingTableError
from vivero_data.domain.audit.service import record_all
from vivero_data.domain.collections import repository as collections
from vivero_data.domain.collections.columns import column_name
from vivero_data.domain.collections.conversion import from_text
from vivero_data.domain.collections.schemas import Collection, Field, present
from vivero_data.domain.jobs.task import Task, TaskContext
from vivero_data.domain.limits.service import LimitService
from vivero_data.domain.records import merging, repository
from vivero_data.domain.records.access import Access, access_to_write, everything
from vivero_data.domain.records.entries import entry_of
from vivero_data.domain.records.errors import BeyondRightsError
from vivero_data.domain.records.lists import conditions
from vivero_data.domain.records.merging import Written
from vivero_data.domain.records.query import Clause
from vivero_data.domain.records.schemas import Record, RecordQuery
from vivero_data.domain.records.service import (
    as_field_error,
    changed_values,
    columns_for,
    completed,
    diff,
    require_seen,
    require_writable,
    whole_of,
)
from vivero_data.domain.records.trash import keep_records
from vivero_data.domain.roles.rights import Right
from vivero_data.domain.trash import repository as trash
from vivero_data.domain.trash.repository import Entry
from vivero_data.domain.users.schemas import Actor, Permission, require_permission
from vivero_data.lib.json import decode, encode

CHANGES: Final = "record_changes"
"""The kind of the trash's entries of edits and copies; deletions are `RECORDS`."""
AT_ONCE: Final = 200  # records of one transaction


class Action(StrEnum):
    """What becomes of the records."""

    EDIT = "edit"
    DUPLICATE = "duplicate"
    DELETE = "delete"


RIGHTS: Final = {Action.EDIT: Right.CHANGE, Action.DUPLICATE: Right.CREATE, Action.DELETE: Right.DELETE}
"""What each takes on the collection."""


class Matching(msgspec.Struct, frozen=True):
    """All records that match, as in `RecordQuery`; of a kind that a job can keep."""

    filters: tuple[str, ...] = ()
    where: str = ""
    search: str = ""

    @property
    def query(self) -> RecordQuery:
        return RecordQuery(filters=self.filters, where=self.where, search=self.search)


class Bulk(msgspec.Struct, frozen=True):
    """What is to be done, with which records.

    Attributes:
        ids: up to AT_ONCE records; all that match when there are none.
        field: of an edit, by name.
        value: of an edit; a text is as people type it.
    """

    action: Action
    ids: tuple[int, ...] = ()
    matching: Matching = Matching()
    field: str = ""
    value: Any = None


class ChangeRecords(Task, frozen=True):
    """The same for all that match; `last` is the newest record when it began, `values` are JSON by name."""

    collection: str
    action: Action
    entry: int
    last: int
    matching: Matching
    values: dict[str, Any]

    async def check(self, connection: Connection, actor: Actor) -> str:
        raise NotImplementedError  # it is only queued by selections.py, which has checked it

    async def run(self, context: TaskContext) -> None:
        require_permission(context.actor, Permission.WRITE_RECORDS)
        async with context.database.read() as connection:
            above, done = await trash.progress(connection, self.entry)
        while True:
            async with context.database.transaction() as tx:
                if self.action is not Action.EDIT:
                    await context.limits.hold(tx, "records")
                access = await access_to_write(tx, context.actor, self.collection)
                access.require(RIGHTS[self.action])
                clauses = [
                    *conditions(access, self.matching.query),
                    Clause("id > %s AND id <= %s", (above, self.last)),
                ]
                ids = await repository.select_ids(tx, access, clauses, AT_ONCE)
                if not ids:
                    await kept(tx, self.entry, done)
                    await context.finish(tx, {"records": done, "entry": self.entry, "action": str(self.action)})
                    return
                worker = Worker(tx, access, context.limits, self.entry)
                done += await worker.change(self.action, ids, self.values)
            above = ids[-1]
            context.progress(done, None)


async def kept(tx: Connection, entry: int, records: int) -> int:
    """The entry of the trash; of what has changed nothing there is none, 0."""
    if records:
        return entry
    await trash.remove(tx, entry)
    return 0


def checked(collection: Collection, bulk: Bulk, values: dict[str, Any]) -> dict[str, Any]:
    """The values of an edit; pure.

    Raises:
        InvalidInputError: the field cannot have this value, or not in many records.
    """
    if bulk.action is Action.EDIT:
        columns_for(collection, values, new=False)
        field = next(one for one in collection.fields if one.name in values)
        if field.unique and values[field.name] is not None:
            raise InvalidInputError.of(field.name, "must be unique: no two records can have the same value")
        if field.kind.uploaded and values[field.name] is not None:
            raise InvalidInputError.of(field.name, "takes files one record at a time; of many it can only be emptied")
    if bulk.action is Action.DUPLICATE:
        strict = [one for one in collection.fields if one.unique and one.required]
        if strict:
            raise InvalidInputError.of(strict[0].name, "is required and unique, so a copy cannot have it")
    return values


class Worker:
    """Changes some records in one transaction."""

    def __init__(self, tx: Connection, access: Access, limits: LimitService, entry: int) -> None:
        self._tx = tx
        self._access = access
        self._collection = access.collection
        self._limits = limits
        self._entry = entry

    async def change(self, action: Action, ids: Sequence[int], values: Mapping[str, Any]) -> int:
        """Change those that still exist; how many were changed."""
        try:
            found = await repository.get_all_locked(self._tx, self._access, ids)
            if action is Action.EDIT:
                return await self._edit(found, columns_for(self._collection, values, new=False))
            return await (self._delete(found) if action is Action.DELETE else self._duplicate(found))
        except (DuplicateKeyError, MissingTableError) as error:
            raise as_field_error(self._collection, error) from error

    async def _edit(self, found: Mapping[int, Record], values: Mapping[int, Any]) -> int:
        wanted = {
            number: changed
            for number, record in found.items()
            if (changed := changed_values(self._collection, record, values))
        }
        await trash.keep_rows(self._tx, self._entry, self._access.whole, list(wanted))
        await trash.count_items(self._tx, self._entry, len(wanted))
        require_writable(self._access, values)
        await update_and_log(self._tx, self._access, found, wanted)
        return len(wanted)

    async def _delete(self, found: Mapping[int, Record]) -> int:
        if found:
            await keep_records(self._tx, self._access, list(found.values()), self._entry)
            await remove_and_log(self._tx, self._access, self._limits, found)
        return len(found)

    async def _duplicate(self, found: Mapping[int, Record]) -> int:
        if not found:
            return 0
        await self._limits.reserve(self._tx, "records", len(found))
        rows = [copy_of(self._access, record) for record in found.values()]
        made = await repository.insert_all(self._tx, self._access.whole, rows)
        await require_seen(self._tx, self._access, [record.id for record in made])
        await collections.add_records(self._tx, self._collection.id, len(made))
        await trash.keep_made(self._tx, self._entry, [(new.id, old) for new, old in zip(made, found, strict=True)])
        await trash.count_items(self._tx, self._entry, len(made))
        entries = [entry_of("record.create", self._access.whole, record, after=record.values) for record in made]
        await record_all(self._tx, self._access.actor, entries)
        return len(made)


def copy_of(access: Access, record: Record) -> dict[int, Any]:
    """A copy's column values; what is unique stays with the record, and what the actor cannot write."""
    collection = access.collection
    values = decode(encode(record.values))
    kept = {
        field.name: None if field.unique else values[field.name]
        for field in collection.fields
        if not field.kind.computed and access.writable(field)
    }
    return completed(access, columns_for(collection, kept, new=True))


async def update_and_log(
    tx: Connection,
    access: Access,
    before: Mapping[int, Record],
    wanted: Mapping[int, dict[int, Any]],
) -> None:
    """Write changes of locked records, so that they can be merged with others', with an entry in the audit log each."""
    if not wanted:
        return
    collection = access.whole
    await repository.update_all(tx, collection, list(wanted.items()))
    changes = [Written(number, before[number].version + 1, values) for number, values in wanted.items()]
    await merging.remember(tx, collection.id, changes)
    after = await repository.get_all(tx, access, list(wanted))
    if len(after) < len(wanted):
        raise BeyondRightsError
    whole = await whole_of(tx, access, after)
    changes_of = {record.id: diff(before[record.id], record) for record in after.values()}
    entries = [
        entry_of("record.update", collection, record, before=changes_of[record.id][0], after=changes_of[record.id][1])
        for record in whole.values()
    ]
    await record_all(tx, access.actor, entries)


async def remove_and_log(tx: Connection, access: Access, limits: LimitService, found: Mapping[int, Record]) -> None:
    """Remove locked records, which are in the trash already."""
    collection, whole = access.whole, await whole_of(tx, access, found)
    await repository.delete_all(tx, collection, list(found))
    await limits.release(tx, "records", len(found))
    await collections.add_records(tx, collection.id, -len(found))
    entries = [entry_of("record.delete", collection, record, before=record.values) for record in whole.values()]
    await record_all(tx, access.actor, entries)


async def undo(tx: Connection, actor: Actor, collection: Collection, limits: LimitService, entry: Entry) -> None:
    """Take an edit or copies back; what somebody changed since stays as they made it.

    Raises:
        ConflictError: the field is gone, has another type or a value that is taken meanwhile.
    """
    access = everything(actor, collection)
    field = next((one for one in collection.fields if one.id == entry.content["field"]), None)
    above = 0
    while rows := await trash.select_rows(tx, entry.id, above, AT_ONCE):
        found = await repository.get_all_locked(tx, access, [number for number, _ in rows])
        if entry.content["field"] is None:
            fresh = {number: record for number, record in found.items() if record.version == 1}
            if fresh:
                await keep_records(tx, access, list(fresh.values()))
                await remove_and_log(tx, access, limits, fresh)
        elif field is None:
            raise ConflictError("The field is deleted. Restore it first.")
        else:
            await _put_back(tx, access, field, found, dict(rows))
        above = rows[-1][0]


async def _put_back(
    tx: Connection,
    access: Access,
    field: Field,
    found: Mapping[int, Record],
    rows: Mapping[int, Mapping[str, str | None]],
) -> None:
    collection, column = access.whole, column_name(field).strip("`")
    known = await merging.touched(tx, collection.id, list(found)) if found else {}
    wanted: dict[int, dict[int, Any]] = {}
    for number, record in found.items():
        if column not in rows[number]:
            raise ConflictError(f"The type of {field.name} was changed later. Undo that change first.")
        made = int(rows[number]["version"] or 0) + 1  # the version that the edit made
        later = known[number].after(made, record.version) if number in known else None
        if record.version == made or (later is not None and field.id not in later):
            text = rows[number][column]
            value = None if text is None else from_text(field, text)
            if present(field, value) != record.values[field.name]:
                wanted[number] = {field.id: value}
    try:
        await update_and_log(tx, access, found, wanted)
    except DuplicateKeyError as error:
        raise as_field_error(collection, error) from error
