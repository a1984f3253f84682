"""The files that records have: which they are, and which row of `record_files` says so; SQL.

That table has every file that a record has or had. Each writer of records adds to it, and only housekeeping takes
away, after it has found the file neither in the record nor in the trash: so no writer has to count references, and none
can count wrong. A file gets into a record as it is uploaded, or from the list of files; from another record never, but
by a copy of that. What is in use nowhere can therefore not come back into use, and is safe to remove.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from vivero_web import clock
from vivero_web.errors import FieldError

from vivero_data.db.database import Connection, batches
from vivero_data.domain.collections.columns import table_name
from vivero_data.domain.collections.schemas import Collection, Field, present
from vivero_data.domain.field_types.file import RecordFile, files_of
from vivero_data.domain.files import repository as files
from vivero_data.domain.files.schemas import StoredFile
from vivero_data.domain.records.access import Access
from vivero_data.domain.records.schemas import Attachment, Record
from vivero_data.domain.trash import repository as trash
from vivero_data.domain.users.schemas import Actor, Permission
from vivero_data.lib.json import encode

FILES: Final = "files"
"""The kind of the trash's entries of files that were taken out of records that stay."""
ATTACHED: Final = 0
"""Stands for the number of a field where a file is an attachment."""
_ATTACHED: Final = (
    "SELECT f.id, f.name, f.size, f.media_type, r.attached_at, COALESCE(u.name, u.email, ''), r.record_id"
    " FROM record_files r JOIN files f ON f.id = r.file_id AND f.state = 'stored'"
    " LEFT JOIN users u ON u.id = r.attached_by WHERE r.collection_id = %s AND r.attached_at IS NOT NULL"
)
Files = Mapping[int, Sequence[RecordFile]]
"""The files of a record by field."""


def file_fields(collection: Collection) -> list[Field]:
    return [field for field in collection.fields if field.kind.uploaded]


class AttachedFile(Attachment, frozen=True, kw_only=True):
    """An attachment, with the record that it is attached to."""

    record_id: int


def as_record_file(file: StoredFile | Attachment) -> RecordFile:
    return RecordFile(file.id, file.name, file.size, file.media_type)


async def complete(
    tx: Connection,
    access: Access,
    rows: Sequence[tuple[str, dict[int, Any], Record | None]],
    taken: dict[str, RecordFile],
) -> list[FieldError]:
    """Put in column values what files are whose ids were sent; those of the list become the records'.

    `rows` are values with their place and the record as it is, None if it is new; `taken` is what this transaction has
    taken from the list so far, and is added to. Returns what is no file for its record, or would be taken from the list
    by an actor who may not change that.
    """
    fields = file_fields(access.collection)
    cells = [
        (f"{place}{field.name}", field, values, _known(before))
        for field in fields
        for place, values, before in rows
        if values.get(field.id) is not None
    ]
    wanted = {
        file.id for _, field, values, known in cells for file in files_of(values[field.id]) if file.id not in known
    }
    new = sorted(wanted - taken.keys())
    may_take = access.actor.may(Permission.WRITE_FILES)
    for file in await files.take_from_list(tx, new) if new and may_take else ():
        taken[file.id] = as_record_file(file)
    errors = []
    for place, field, values, known in cells:
        there = {**known, **taken}
        ids = [file.id for file in files_of(values[field.id])]
        errors += [FieldError(place, f"has {one}, which is no file of the list") for one in ids if one not in there]
        values[field.id] = encode([there[one] for one in ids if one in there])
    return errors


def _known(record: Record | None) -> dict[str, RecordFile]:
    """The files in the fields of a record by id."""
    values = record.values.values() if record else ()
    return {
        file.id: file for value in values if isinstance(value, list) for file in value if isinstance(file, RecordFile)
    }


async def note(tx: Connection, collection: Collection, written: Iterable[tuple[int, Mapping[int, Any]]]) -> None:
    """Note the files that column values bring into records."""
    fields = file_fields(collection)
    pairs = [
        (file.id, record_id)
        for record_id, values in written
        for field in fields
        if values.get(field.id) is not None
        for file in files_of(values[field.id])
    ]
    for part in batches(pairs):
        places = ", ".join(["(%s, %s, %s)"] * len(part))
        await tx.execute(
            f"INSERT IGNORE INTO record_files (file_id, collection_id, record_id) VALUES {places}",  # noqa: S608  placeholders
            *(value for file_id, record_id in part for value in (file_id, collection.id, record_id)),
        )


async def attach(tx: Connection, collection_id: int, record_id: int, file_ids: Sequence[str], user_id: int) -> None:
    places = ", ".join(["(%s, %s, %s, CURRENT_TIMESTAMP(6), %s)"] * len(file_ids))
    await tx.execute(
        "INSERT INTO record_files (file_id, collection_id, record_id, attached_at, attached_by)"  # noqa: S608  placeholders
        f" VALUES {places} ON DUPLICATE KEY UPDATE attached_at = VALUES(attached_at), attached_by = VALUES(attached_by)",
        *(value for one in file_ids for value in (one, collection_id, record_id, user_id)),
    )


async def detach(tx: Connection, collection_id: int, record_id: int, file_id: str) -> None:
    await tx.execute(
        "UPDATE record_files SET attached_at = NULL, attached_by = NULL"
        " WHERE file_id = %s AND collection_id = %s AND record_id = %s",
        file_id,
        collection_id,
        record_id,
    )


async def attachments(connection: Connection, collection_id: int, record_id: int) -> list[Attachment]:
    """What is attached to a record, the oldest first."""
    rows = await connection.fetch_all(
        f"{_ATTACHED} AND r.record_id = %s ORDER BY r.attached_at, f.id", collection_id, record_id
    )
    return [Attachment(*file, attached_at=clock.utc(at), attached_by=by) for *file, at, by, _ in rows]


async def select_attached(
    connection: Connection, collection_id: int, limit: int, last: tuple[int, str]
) -> list[AttachedFile]:
    """What is attached to the records of a collection behind the `last`, by record and file; one more if there are more."""
    rows = await connection.fetch_all(
        f"{_ATTACHED} AND r.record_id >= %s AND (r.record_id > %s OR r.file_id > %s)"
        " ORDER BY r.record_id, r.file_id LIMIT %s",
        collection_id,
        last[0],
        *last,
        limit + 1,
    )
    return [
        AttachedFile(*file, attached_at=clock.utc(at), attached_by=by, record_id=int(record))
        for *file, at, by, record in rows
    ]


def dropped(collection: Collection, before: Record, values: Mapping[int, Any]) -> dict[int, list[RecordFile]]:
    """The files that column values take out of a record, by field; pure."""
    found = {}
    for field in file_fields(collection):
        if field.id in values:
            kept = set(present(field, values[field.id]) or ())
            gone = [file for file in before.values[field.name] or () if file not in kept]
            found.update({field.id: gone} if gone else {})
    return found


async def keep(tx: Connection, actor: Actor, collection: Collection, taken: Sequence[tuple[int, Files]]) -> int | None:
    """Put files that are taken out of records into the trash; returns the entry, None if there is no file."""
    rows = [(record_id, found) for record_id, found in taken if found]
    if not rows:
        return None
    first = next(file for files in rows[0][1].values() for file in files)
    count = sum(len(files) for _, found in rows for files in found.values())
    name = first.name if count == 1 else f"{count} files"
    field = next(iter(rows[0][1]))
    named_by = None if count > 1 or field == ATTACHED else field
    entry = await trash.add(
        tx, actor, FILES, f"{name} of {collection.name}", trash.named(named_by), collection_id=collection.id
    )
    await trash.keep_contents(tx, entry, [(record_id, {"files": found}) for record_id, found in rows])
    return entry


async def select_to_check(connection: Connection, before: datetime, limit: int) -> list[int]:
    """The collections of the files that were not checked since, of those that wait longest."""
    rows = await connection.fetch_all(
        "SELECT DISTINCT collection_id FROM (SELECT collection_id FROM record_files WHERE checked_at < %s"
        " ORDER BY checked_at LIMIT %s) waiting",
        clock.naive(before),
        limit,
    )
    return [int(row[0]) for row in rows]


async def skip(tx: Connection, collection_id: int) -> None:
    """Check the files of a collection later."""
    await tx.execute(
        "UPDATE record_files SET checked_at = CURRENT_TIMESTAMP(6) WHERE collection_id = %s", collection_id
    )


async def forget_unused(tx: Connection, collection: Collection, before: datetime, limit: int) -> int:
    """Of files that were not checked since, take those out of the table that a record has no more; returns how many.

    The collection is held by this transaction. One statement sees one moment, also while records and trash change.
    """
    columns = [f"record.`f_{field.column}`" for field in file_fields(collection)]
    columns += [f"record.`f_{column}`" for column in await trash.columns_kept(tx, collection.id)]
    has = " OR ".join(f"{column} LIKE CONCAT('%%', one.file_id, '%%')" for column in columns) or "FALSE"
    rows = await tx.fetch_all(
        "SELECT one.file_id, one.record_id,"  # noqa: S608  names from numbers
        f" EXISTS (SELECT 1 FROM {table_name(collection.id)} record WHERE record.id = one.record_id"
        f" AND (one.attached_at IS NOT NULL OR {has}))"
        " OR EXISTS (SELECT 1 FROM trashed_records gone JOIN trash entry ON entry.id = gone.trash_id"
        " WHERE gone.record_id = one.record_id AND entry.collection_id = one.collection_id"
        " AND (one.attached_at IS NOT NULL OR gone.content LIKE CONCAT('%%', one.file_id, '%%')))"
        " FROM record_files one WHERE one.collection_id = %s AND one.checked_at < %s ORDER BY one.checked_at LIMIT %s",
        collection.id,
        clock.naive(before),
        limit,
    )
    used = [(file_id, record_id) for file_id, record_id, in_use in rows if in_use]
    unused = [(file_id, record_id) for file_id, record_id, in_use in rows if not in_use]
    for pairs, statement in (
        (used, "UPDATE record_files SET checked_at = CURRENT_TIMESTAMP(6)"),
        (unused, "DELETE FROM record_files"),
    ):
        for part in batches(pairs):
            places = ", ".join(["(%s, %s)"] * len(part))
            await tx.execute(
                f"{statement} WHERE collection_id = %s AND (file_id, record_id) IN ({places})",
                collection.id,
                *(value for pair in part for value in pair),
            )
    return len(unused)
