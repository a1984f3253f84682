"""SQL of the trash: entries, and the rows of deleted records.

A row is kept as texts by the names of its columns, also of those that no field has any more, so that it comes back to
the byte whatever became of the fields meanwhile.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from vivero_web import clock

from vivero_data.db.database import Connection, Row, batches
from vivero_data.domain.collections.columns import column_name, table_name
from vivero_data.domain.collections.schemas import Collection, Field
from vivero_data.domain.users.schemas import Actor
from vivero_data.lib.json import decode, encode
from vivero_data.lib.like import like

UNKNOWN: Final = -1
"""A field that there is not: of entries from before it was noted what they are called after."""
_NAME: Final = 320  # maximum length in characters
_COLUMNS: Final = "id, kind, name, collection_id, items, content, deleted_at, deleted_by"
ROW_COLUMNS: Final = ("version", "created_at")
"""What a deleted row keeps beside its values."""


class Entry(msgspec.Struct, frozen=True):
    """Something in the trash; what `content` is depends on the kind."""

    id: int
    kind: str
    name: str
    collection_id: int | None
    items: int
    content: Any
    deleted_at: datetime
    deleted_by: str


def named(field: int | None) -> dict[str, int | None]:
    """The content of an entry that is called after a value of this field; None where it is called after none."""
    return {"named_by": field}


def named_by(entry: Entry, otherwise: int | None) -> int | None:
    """What `named` noted; `otherwise` where it did not."""
    number: int | None = entry.content.get("named_by", otherwise)
    return number


async def add(  # noqa: PLR0913  the columns of a row
    tx: Connection,
    actor: Actor,
    kind: str,
    name: str,
    content: object,
    *,
    collection_id: int | None = None,
    column: int | None = None,
    items: int = 0,
) -> int:
    """Put something into the trash, in the transaction that deletes it; returns the entry's id."""
    return await tx.insert(
        "INSERT INTO trash (kind, name, collection_id, column_id, items, content, deleted_by)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        kind,
        name[:_NAME],
        collection_id,
        column,
        items,
        encode(content),
        actor.email,
    )


async def get(connection: Connection, entry_id: int) -> Entry | None:
    row = await connection.fetch_one(f"SELECT {_COLUMNS} FROM trash WHERE id = %s", entry_id)  # noqa: S608  fixed words
    return _entry(row) if row else None


async def get_locked(tx: Connection, entry_id: int) -> Entry | None:
    row = await tx.fetch_one(f"SELECT {_COLUMNS} FROM trash WHERE id = %s FOR UPDATE", entry_id)  # noqa: S608  fixed words
    return _entry(row) if row else None


async def select_page(  # noqa: PLR0913, PLR0917  the parts of a SELECT
    connection: Connection, search: str, since: datetime, limit: int, below: int | None, by: str | None = None
) -> list[Entry]:
    """What was deleted since, the newest first, by one person or by all; one more than the limit when there are more."""
    where, params = like("name", search, anywhere=True)
    rows = await connection.fetch_all(
        f"SELECT {_COLUMNS} FROM trash WHERE {where} AND deleted_at > %s AND (%s IS NULL OR id < %s)"  # noqa: S608  fixed words
        " AND (%s IS NULL OR deleted_by = %s) ORDER BY id DESC LIMIT %s",
        *params,
        clock.naive(since),
        below,
        below,
        by,
        by,
        limit + 1,
    )
    return [_entry(row) for row in rows]


async def select_expired(connection: Connection, before: datetime, limit: int) -> list[Entry]:
    rows = await connection.fetch_all(
        f"SELECT {_COLUMNS} FROM trash WHERE deleted_at <= %s ORDER BY deleted_at LIMIT %s",  # noqa: S608  fixed words
        clock.naive(before),
        limit,
    )
    return [_entry(row) for row in rows]


async def select_of(connection: Connection, collection_id: int, kind: str) -> list[Entry]:
    """What is in the trash of a collection and of one kind, the oldest first."""
    rows = await connection.fetch_all(
        f"SELECT {_COLUMNS} FROM trash WHERE collection_id = %s AND kind = %s ORDER BY id",  # noqa: S608  fixed words
        collection_id,
        kind,
    )
    return [_entry(row) for row in rows]


async def remove(tx: Connection, entry_id: int) -> None:
    await tx.execute("DELETE FROM trashed_records WHERE trash_id = %s", entry_id)
    await tx.execute("DELETE FROM trash WHERE id = %s", entry_id)


async def remove_of_collection(connection: Connection, collection_id: int, but: int) -> None:
    """Remove what is in the trash of a collection that is gone for good."""
    await connection.execute(
        "DELETE r FROM trashed_records r JOIN trash t ON t.id = r.trash_id WHERE t.collection_id = %s AND t.id <> %s",
        collection_id,
        but,
    )
    await connection.execute("DELETE FROM trash WHERE collection_id = %s AND id <> %s", collection_id, but)


async def forget_records(connection: Connection, entry_id: int, collection_id: int) -> None:
    """Remove what belongs to the records of an entry, which do not come back."""
    for table in ("record_comments", "record_changes", "record_files"):
        await connection.execute(
            f"DELETE o FROM {table} o JOIN trashed_records r ON r.record_id = o.record_id"
            " WHERE r.trash_id = %s AND o.collection_id = %s",
            entry_id,
            collection_id,
        )


async def count_items(tx: Connection, entry_id: int, more: int) -> None:
    await tx.execute("UPDATE trash SET items = items + %s WHERE id = %s", more, entry_id)


async def columns_kept(connection: Connection, collection_id: int) -> list[int]:
    """The columns of a collection's table that no field has any more."""
    rows = await connection.fetch_all(
        "SELECT DISTINCT t.column_id FROM trash t LEFT JOIN fields f ON f.id = t.column_id"
        " WHERE t.collection_id = %s AND t.column_id IS NOT NULL AND f.id IS NULL",
        collection_id,
    )
    return [int(row[0]) for row in rows]


async def keep_rows(tx: Connection, entry_id: int, collection: Collection, ids: Sequence[int]) -> None:
    """Copy rows, which are locked, into the trash."""
    columns = [column_name(field) for field in collection.fields]
    columns += [f"`f_{column}`" for column in await columns_kept(tx, collection.id)]
    pairs = ", ".join(f"'{name.strip('`')}', CAST({name} AS CHAR)" for name in (*ROW_COLUMNS, *columns))
    for part in batches(ids):
        await tx.execute(
            "INSERT INTO trashed_records (trash_id, record_id, content)"  # noqa: S608  names from numbers
            f" SELECT %s, id, JSON_OBJECT({pairs}) FROM {table_name(collection.id)} WHERE id IN %s",
            entry_id,
            tuple(part),
        )


async def keep_made(tx: Connection, entry_id: int, made: Sequence[tuple[int, int]]) -> None:
    """Note new records, each with the one that it was made from."""
    await keep_contents(tx, entry_id, [(new, {"of": old}) for new, old in made])


async def keep_contents(tx: Connection, entry_id: int, rows: Sequence[tuple[int, object]]) -> None:
    """Add rows of an entry, each with its record."""
    for part in batches(rows):
        places = ", ".join(["(%s, %s, %s)"] * len(part))
        await tx.execute(
            f"INSERT INTO trashed_records (trash_id, record_id, content) VALUES {places}",  # noqa: S608  placeholders
            *(value for record_id, content in part for value in (entry_id, record_id, encode(content))),
        )


async def progress(connection: Connection, entry_id: int) -> tuple[int, int]:
    """The last record that a change of many has come to, and how many it has changed."""
    row = await connection.fetch_one(
        "SELECT COALESCE(MAX(CAST(COALESCE(JSON_VALUE(r.content, '$.of'), r.record_id) AS UNSIGNED)), 0), MAX(t.items)"
        " FROM trash t LEFT JOIN trashed_records r ON r.trash_id = t.id WHERE t.id = %s",
        entry_id,
    )
    return (int(row[0]), int(row[1] or 0)) if row else (0, 0)


async def select_rows(
    connection: Connection, entry_id: int, above: int, limit: int
) -> list[tuple[int, dict[str, str | None]]]:
    """Rows of an entry by their record's number: column → text."""
    rows = await connection.fetch_all(
        "SELECT record_id, content FROM trashed_records WHERE trash_id = %s AND record_id > %s"
        " ORDER BY record_id LIMIT %s",
        entry_id,
        above,
        limit,
    )
    return [(int(number), decode(content)) for number, content in rows]


async def put_back(tx: Connection, collection_id: int, rows: Sequence[tuple[int, Mapping[str, Any]]]) -> None:
    """Add rows with the numbers that they had; all have the same columns. They count as changed now."""
    names = list(rows[0][1])
    heads = ", ".join(("id", *(f"`{name}`" for name in names), "updated_at"))
    places = ", ".join([f"({', '.join(['%s'] * (len(names) + 1))}, CURRENT_TIMESTAMP(6))"] * len(rows))
    await tx.execute(
        f"INSERT INTO {table_name(collection_id)} ({heads}) VALUES {places}",  # noqa: S608  names from numbers
        *(value for number, row in rows for value in (number, *row.values())),
    )


def field_of(content: Mapping[str, Any]) -> Field:
    """A field as an entry keeps it."""
    return msgspec.convert(content, Field)


def _entry(row: Row) -> Entry:
    number, kind, name, collection_id, items, content, deleted_at, deleted_by = row
    return Entry(int(number), kind, name, collection_id, int(items), decode(content), clock.utc(deleted_at), deleted_by)
