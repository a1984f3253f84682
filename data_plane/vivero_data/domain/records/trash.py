"""Deleted records: into the trash in the transaction that deletes them, and back with their numbers."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from vivero_web.errors import ConflictError

from vivero_data.db.database import Connection, batches
from vivero_data.db.errors import DuplicateKeyError
from vivero_data.domain.audit.service import record_all
from vivero_data.domain.collections import repository as collections
from vivero_data.domain.collections.calculation import calculate
from vivero_data.domain.collections.changes import FIELD_CHANGE
from vivero_data.domain.collections.columns import column_name, unique_key
from vivero_data.domain.collections.conversion import converted, from_text
from vivero_data.domain.collections.schemas import Collection, Field
from vivero_data.domain.field_types.kind import InvalidValueError
from vivero_data.domain.records import repository
from vivero_data.domain.records.access import Access, everything
from vivero_data.domain.records.entries import entry_of
from vivero_data.domain.records.schemas import Record
from vivero_data.domain.trash import repository as trash
from vivero_data.domain.users.schemas import Actor
from vivero_data.lib.notation import Notation

RECORDS: Final = "records"
_PAGE: Final = 200  # rows in memory at once
_TITLE: Final = 100  # characters of a record's first value


async def keep_records(tx: Connection, access: Access, records: Sequence[Record], entry: int | None = None) -> int:
    """Put records, which are locked and about to be deleted, into the trash; into `entry` if there is one already."""
    if entry is None:
        name, content = access.whole.name, trash.named(None)
        if len(records) == 1:
            name, content = _title(access.collection, records[0]), trash.named(access.collection.fields[0].id)
        entry = await trash.add(tx, access.actor, RECORDS, name, content, collection_id=access.whole.id)
    await trash.keep_rows(tx, entry, access.whole, [record.id for record in records])
    await trash.count_items(tx, entry, len(records))
    return entry


def _title(collection: Collection, record: Record) -> str:
    value = record.values[collection.fields[0].name]
    words = f"Record {record.id}" if value is None else str(value)
    return f"{words[:_TITLE]} of {collection.name}"


async def bring_back(tx: Connection, actor: Actor, collection: Collection, entry: trash.Entry) -> None:
    """Add the records of an entry again. The plan's count is the caller's, and so is the entry.

    Raises:
        ConflictError: another record has a unique value meanwhile.
    """
    former = await _former_fields(tx, collection)
    kept = {*(field.column for field in collection.fields), *await trash.columns_kept(tx, collection.id)}
    last = 0
    while rows := await trash.select_rows(tx, entry.id, last, _PAGE):
        back = [(number, _columns(collection, former, kept, row)) for number, row in rows]
        for part in batches(back):
            try:
                await trash.put_back(tx, collection.id, part)
            except DuplicateKeyError as error:
                raise _taken(collection, error) from error
        numbers = [number for number, _ in rows]
        await calculate(tx, collection, numbers)
        found = await repository.get_all(tx, everything(actor, collection), numbers)
        entries = [entry_of("record.restore", collection, record, after=record.values) for record in found.values()]
        await record_all(tx, actor, entries)
        last = rows[-1][0]
    await collections.add_records(tx, collection.id, entry.items)


Former = tuple[Field, Notation]
"""What a field was, and how texts were read when it changed."""


async def _former_fields(tx: Connection, collection: Collection) -> dict[int, list[Former]]:
    """For each field, what it was before its changes, the latest first."""
    former: dict[int, list[Former]] = {}
    for change in reversed(await trash.select_of(tx, collection.id, FIELD_CHANGE)):
        field = trash.field_of(change.content["before"])
        former.setdefault(field.id, []).append((field, msgspec.convert(change.content["notation"], Notation)))
    return former


def _columns(
    collection: Collection, former: Mapping[int, Sequence[Former]], kept: set[int], row: Mapping[str, str | None]
) -> dict[str, Any]:
    """The row's columns that there still are; a field that got another column meanwhile gets the value converted."""
    found: dict[str, Any] = {name: row[name] for name in trash.ROW_COLUMNS}
    for column in sorted(kept):
        found[f"f_{column}"] = row.get(f"f_{column}")
    for field in collection.fields:
        name = column_name(field).strip("`")
        if name not in row:
            found[name] = _from_former(field, former.get(field.id, ()), row)
    return found


def _from_former(field: Field, former: Sequence[Former], row: Mapping[str, str | None]) -> Any:  # noqa: ANN401  a column's value
    for old, notation in former:
        name = column_name(old).strip("`")
        if name in row:
            try:
                return converted(old, field, from_text(old, row[name]), notation)
            except InvalidValueError:
                return None
    return None


def _taken(collection: Collection, error: DuplicateKeyError) -> ConflictError:
    for field in collection.fields:
        if error.key == unique_key(field):
            return ConflictError(
                f"Another record has the same {field.name} meanwhile, and it must be unique. Change that record first."
            )
    return ConflictError("A record of this number exists.")
