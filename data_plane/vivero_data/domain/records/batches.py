"""Batch writes of records: all or none, with one check of the plan and few statements.

Rows are written in chunks of some hundred, so that a batch takes no more memory than a page of a list. If a unique key
rejects a chunk, its rows are written one by one, to find out which.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final

import msgspec
from vivero_web.errors import FieldError, InvalidInputError

from vivero_data.db.database import Connection, Database, batches
from vivero_data.db.errors import DuplicateKeyError, MissingTableError
from vivero_data.domain.audit.service import record_all
from vivero_data.domain.collections import repository as collections
from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.collections.service import CollectionNotFoundError
from vivero_data.domain.field_types.file import RecordFile
from vivero_data.domain.limits.service import LimitService
from vivero_data.domain.notation.person import notation_for
from vivero_data.domain.records import held, merging, references, repository
from vivero_data.domain.records.access import Access, access_of, access_to_write
from vivero_data.domain.records.entries import entry_of
from vivero_data.domain.records.errors import TAKEN, BatchConflictError, BeyondRightsError, ValueTakenError
from vivero_data.domain.records.merging import Written
from vivero_data.domain.records.schemas import (
    MAX_BATCH,
    NewRecord,
    Record,
    RecordBatch,
    RowChanges,
    RowDeletion,
    WrittenBatch,
    WrittenRecord,
)
from vivero_data.domain.records.service import (
    as_field_error,
    as_typed,
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
from vivero_data.domain.users.schemas import Actor, Permission, require_permission
from vivero_data.lib.notation import UNSET, Notation

_MAX_REPORTED: Final = 50  # rows at fault; further ones are reported by the next attempt


class Checked(msgspec.Struct):
    """A validated batch: for each row its place in the request, and its column values by field id."""

    create: list[tuple[str, dict[int, Any]]]
    update: list[tuple[str, RowChanges, dict[int, Any]]]
    delete: list[tuple[str, RowDeletion]]


def checked(collection: Collection, batch: RecordBatch, notation: Notation = UNSET) -> Checked:
    """The batch with every row validated; pure.

    Raises:
        InvalidInputError: naming the rows and their fields at fault.
    """
    errors = _shape_errors(batch)

    def values(row: NewRecord | RowChanges) -> dict[str, Any]:
        return as_typed(collection, row.values, notation) if batch.typed else row.values

    found = Checked([], [], [(f"delete[{index}]", row) for index, row in enumerate(batch.delete)])
    for index, new in enumerate(batch.create):
        place = f"create[{index}]"
        found.create.append((place, _columns(collection, values(new), place, errors, new=True)))
    for index, changes in enumerate(batch.update):
        place = f"update[{index}]"
        found.update.append((place, changes, _columns(collection, values(changes), place, errors, new=False)))
    if errors:
        detail = "Nothing was written: some of the rows cannot be accepted."
        raise InvalidInputError(detail, errors=errors[:_MAX_REPORTED])
    return found


def _shape_errors(batch: RecordBatch) -> list[FieldError]:
    if not 1 <= len(batch.create) + len(batch.update) + len(batch.delete) <= MAX_BATCH:
        return [FieldError("body", f"must have 1 to {MAX_BATCH:,} rows in all")]
    seen: set[int] = set()
    errors = []
    places = [(f"update[{index}].id", row.id) for index, row in enumerate(batch.update)]
    places += [(f"delete[{index}].id", row.id) for index, row in enumerate(batch.delete)]
    for place, number in places:
        if number in seen:
            errors.append(FieldError(place, "is in the batch twice"))
        seen.add(number)
    return errors


def _columns(
    collection: Collection, values: dict[str, Any], place: str, errors: list[FieldError], *, new: bool
) -> dict[int, Any]:
    try:
        return columns_for(collection, values, new=new)
    except InvalidInputError as error:
        errors += [FieldError(f"{place}.values.{one.field}", one.message) for one in error.errors]
        return {}


class BatchService:
    """Writes batches of records, for members."""

    def __init__(self, database: Database, limits: LimitService) -> None:
        self._database = database
        self._limits = limits

    async def write(self, actor: Actor, collection: str, batch: RecordBatch) -> WrittenBatch:
        """Write all rows, or none.

        Raises:
            InvalidInputError: rows that are invalid regardless of what is stored.
            BatchConflictError: rows that were deleted, are at another version, or violate a unique field.
            PlanLimitError: the limit of records would be exceeded.
        """
        require_permission(actor, Permission.WRITE_RECORDS)
        async with self._database.read() as connection:
            access = await access_of(connection, actor, collection)
            notation = await notation_for(connection, actor) if batch.typed else UNSET
        _require(access, batch)
        rows = checked(access.collection, batch, notation)  # before the counter is locked
        more = len(batch.create) - len(batch.delete)
        async with self._database.transaction() as tx:
            if batch.create or batch.delete:
                await self._limits.change(tx, "records", more)
            current = await access_to_write(tx, actor, collection)
            if current.collection.fields != access.collection.fields:
                rows = checked(current.collection, batch, notation)
            writer = _Writer(tx, current)
            done = await writer.write(rows)
            await collections.add_records(tx, current.whole.id, more)
        return done


def _require(access: Access, batch: RecordBatch) -> None:
    """Raises NotAllowedError: the actor's role lacks a right that the batch needs."""
    for right, rows in ((Right.CREATE, batch.create), (Right.CHANGE, batch.update), (Right.DELETE, batch.delete)):
        if rows:
            access.require(right)


class _Writer:
    """Writes one batch in its transaction."""

    def __init__(self, tx: Connection, access: Access) -> None:
        self._tx = tx
        self._access = access
        self._collection = access.collection
        self._errors: list[FieldError] = []
        self._trashed: int | None = None
        self._taken: dict[str, RecordFile] = {}

    async def write(self, rows: Checked) -> WrittenBatch:
        try:
            for gone in batches(sorted(rows.delete, key=lambda row: row[1].id)):
                await self._delete(gone)
            updated: dict[int, WrittenRecord] = {}
            for changed in batches(sorted(rows.update, key=lambda row: row[1].id)):
                updated |= await self._update(changed)
            created: list[WrittenRecord] = []
            for new in batches(rows.create):
                created += await self._create(new)
        except MissingTableError as error:
            raise CollectionNotFoundError from error
        if self._errors:
            raise BatchConflictError(self._errors[:_MAX_REPORTED])
        return WrittenBatch(created, [updated[row.id] for _, row, _ in rows.update], len(rows.delete))

    async def _delete(self, rows: Sequence[tuple[str, RowDeletion]]) -> None:
        before = await self._before(rows)
        if not before:
            return
        whole = await whole_of(self._tx, self._access, before)
        self._trashed = await keep_records(self._tx, self._access, list(before.values()), self._trashed)
        await repository.delete_all(self._tx, self._access.whole, list(before))
        await self._log("record.delete", [(record, record.values, None) for record in whole.values()])

    async def _update(self, rows: Sequence[tuple[str, RowChanges, dict[int, Any]]]) -> dict[int, WrittenRecord]:
        before = await self._before([(place, row) for place, row, _ in rows])
        self._errors += await held.complete(
            self._tx,
            self._access,
            [(f"{place}.values.", values, before[row.id]) for place, row, values in rows if row.id in before],
            self._taken,
        )
        wanted = [
            (place, row.id, news)
            for place, row, values in rows
            if row.id in before and (news := changed_values(self._collection, before[row.id], values))
        ]

        async def write(some: Sequence[tuple[str, int, dict[int, Any]]]) -> None:
            await repository.update_all(self._tx, self._access.whole, [(number, values) for _, number, values in some])

        wanted = await self._without_conflicts(
            wanted, before, {row.id: row.version for _, row, _ in rows if row.version}
        )
        if not wanted:
            return {number: WrittenRecord(number, record.version) for number, record in before.items()}
        for place, _, values in wanted:
            require_writable(self._access, values, f"{place}.values.")
        await self._find_unknown((f"{place}.values.", values) for place, _, values in wanted)
        taken = [(number, held.dropped(self._collection, before[number], values)) for _, number, values in wanted]
        await held.keep(self._tx, self._access.actor, self._collection, taken)
        await self._write_unless_taken(wanted, write)
        after = await repository.get_all(self._tx, self._access, [number for _, number, _ in wanted])
        if len(after) < len(wanted):
            raise BeyondRightsError
        changes = [Written(number, before[number].version + 1, values) for _, number, values in wanted]
        await merging.remember(self._tx, self._collection.id, changes)
        whole = await whole_of(self._tx, self._access, after)
        await self._log("record.update", [(whole[number], *diff(before[number], one)) for number, one in after.items()])
        return {number: WrittenRecord(number, record.version) for number, record in (before | after).items()}

    async def _without_conflicts(
        self, wanted: list[tuple[str, int, dict[int, Any]]], before: dict[int, Record], versions: dict[int, int]
    ) -> list[tuple[str, int, dict[int, Any]]]:
        """The changes that contradict no other one made since their version; the others are recorded as errors."""
        stale = {
            number: base for number, base in versions.items() if number in before and base < before[number].version
        }
        changes = {number: (before[number], values) for _, number, values in wanted}
        found = await merging.conflicts(self._tx, self._collection, stale, changes)
        for place, number, _ in wanted:
            self._errors += [
                msgspec.structs.replace(one, field=f"{place}.values.{one.field}") for one in found.get(number, [])
            ]
        return [row for row in wanted if row[1] not in found]

    async def _create(self, rows: Sequence[tuple[str, dict[int, Any]]]) -> list[WrittenRecord]:
        made: list[Record] = []

        async def write(some: Sequence[tuple[str, dict[int, Any]]]) -> None:
            made.extend(await repository.insert_all(self._tx, self._access.whole, [values for _, values in some]))

        rows = [(place, completed(self._access, values, f"{place}.values.")) for place, values in rows]
        await self._find_unknown((f"{place}.values.", values) for place, values in rows)
        new = [(f"{place}.values.", values, None) for place, values in rows]
        self._errors += await held.complete(self._tx, self._access, new, self._taken)
        await self._write_unless_taken(rows, write)
        await require_seen(self._tx, self._access, [record.id for record in made])
        await self._log("record.create", [(record, None, record.values) for record in made])
        return [WrittenRecord(record.id, record.version) for record in made]

    async def _find_unknown(self, rows: Iterable[tuple[str, dict[int, Any]]]) -> None:
        """Links that lead nowhere are recorded as errors."""
        self._errors += await references.unknown(self._tx, self._access, list(rows))

    async def _before(self, rows: Sequence[tuple[str, RowChanges | RowDeletion]]) -> dict[int, Record]:
        """The current records, locked; missing ones and other versions are recorded as errors."""
        found = await repository.get_all_locked(self._tx, self._access, [row.id for _, row in rows])
        for place, row in rows:
            record = found.get(row.id)
            if record is None:
                self._errors.append(FieldError(f"{place}.id", "is no record of this collection"))
            elif row.version is not None and not _may_follow(row, record.version):
                message = f"is not the record's, which is at {record.version} now"
                self._errors.append(FieldError(f"{place}.version", message))
        return found

    async def _write_unless_taken(
        self, rows: Sequence[tuple[str, *tuple[Any, ...]]], write: Callable[[Any], Awaitable[None]]
    ) -> None:
        """Write rows in one statement; if a unique key rejects it, find out which rows."""
        try:
            await write(rows)
        except DuplicateKeyError:
            await self._one_by_one(rows, write)  # the failed statement was rolled back

    async def _one_by_one(
        self, rows: Sequence[tuple[str, *tuple[Any, ...]]], write: Callable[[Any], Awaitable[None]]
    ) -> None:
        for row in rows:
            try:
                await write([row])
            except DuplicateKeyError as error:
                known = as_field_error(self._collection, error)
                if not isinstance(known, ValueTakenError):
                    raise known from error
                self._errors.append(FieldError(f"{row[0]}.values.{known.errors[0].field}", TAKEN))
                if len(self._errors) >= _MAX_REPORTED:
                    raise BatchConflictError(self._errors) from error

    async def _log(self, action: str, written: Sequence[tuple[Record, Any, Any]]) -> None:
        entries = [
            entry_of(action, self._access.whole, record, before=before, after=after)
            for record, before, after in written
        ]
        await record_all(self._tx, self._access.actor, entries)


def _may_follow(row: RowChanges | RowDeletion, current: int) -> bool:
    """Whether a row that says its version can be applied: a deletion to that one only, a change to later ones as well."""
    return row.version == current or (isinstance(row, RowChanges) and row.version is not None and row.version < current)
