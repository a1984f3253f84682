"""SQL of files."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from vivero_web import clock

from vivero_data.db.database import Connection, Row
from vivero_data.domain.files.schemas import Place, StoredFile

_COLUMNS: Final = "id, name, size, media_type, created_at, created_by"
_STORED: Final = f"SELECT {_COLUMNS} FROM files WHERE state = 'stored'"  # noqa: S608  fixed words
_LISTED: Final = f"{_STORED} AND NOT source"


async def insert(tx: Connection, file: StoredFile, place: Place) -> None:
    """Add a file whose content is being uploaded."""
    await tx.execute(
        "INSERT INTO files (id, name, size, media_type, state, created_at, created_by, source, held)"
        " VALUES (%s, %s, %s, %s, 'uploading', %s, %s, %s, %s)",
        file.id,
        file.name,
        file.size,
        file.media_type,
        clock.naive(file.created_at),
        file.created_by,
        place is not Place.LIST,
        place is Place.RECORD,
    )


async def mark(tx: Connection, file_id: str, old: str, new: str) -> bool:
    """Change a file's state from `old` to `new`; False if it was not in `old`."""
    return await tx.execute("UPDATE files SET state = %s WHERE id = %s AND state = %s", new, file_id, old) == 1


async def remove(tx: Connection, file_id: str, state: str) -> bool:
    """Delete the row of a file in this state; False if it was in another."""
    return await tx.execute("DELETE FROM files WHERE id = %s AND state = %s", file_id, state) == 1


async def get(connection: Connection, file_id: str) -> StoredFile | None:
    """A file of the list."""
    row = await connection.fetch_one(f"{_LISTED} AND id = %s", file_id)
    return _file(row) if row else None


async def get_locked(tx: Connection, file_id: str) -> StoredFile | None:
    """A file of the list, which stays there until this transaction ends."""
    row = await tx.fetch_one(f"{_LISTED} AND id = %s FOR UPDATE", file_id)
    return _file(row) if row else None


async def get_held(connection: Connection, file_id: str) -> StoredFile | None:
    """A file that belongs to records."""
    row = await connection.fetch_one(
        f"{_STORED} AND held AND id = %s",
        file_id,
    )
    return _file(row) if row else None


async def take_from_list(tx: Connection, file_ids: Sequence[str]) -> list[StoredFile]:
    """Make those of the list belong to records; returns them."""
    rows = await tx.fetch_all(f"{_LISTED} AND id IN %s ORDER BY id FOR UPDATE", tuple(file_ids))
    found = [_file(row) for row in rows]
    if found:
        await tx.execute("UPDATE files SET source = TRUE, held = TRUE WHERE id IN %s", tuple(one.id for one in found))
    return found


async def select_unheld(connection: Connection, batch: int) -> list[tuple[str, int]]:
    """Id and size of files that belonged to records, and are no record's any more."""
    rows = await connection.fetch_all(
        "SELECT f.id, f.size FROM files f LEFT JOIN record_files r ON r.file_id = f.id"
        " WHERE f.held AND f.state = 'stored' AND r.file_id IS NULL LIMIT %s",
        batch,
    )
    return [(str(file_id), int(size)) for file_id, size in rows]


async def select_page(
    connection: Connection, limit: int, before: tuple[datetime, str] | None, *, held: bool = False
) -> list[StoredFile]:
    """Files of the list, newest first, one more than the limit when there are more; `held` also those of records."""
    which = f"{_STORED} AND (NOT source OR held)" if held else _LISTED
    place = "" if before is None else " AND (created_at < %s OR (created_at = %s AND id < %s))"
    params = () if before is None else (before[0], before[0], before[1])
    rows = await connection.fetch_all(
        f"{which}{place} ORDER BY created_at DESC, id DESC LIMIT %s",
        *params,
        limit + 1,
    )
    return [_file(row) for row in rows]


async def select_unfinished(connection: Connection, before: datetime, batch: int) -> list[tuple[str, str, int]]:
    """Id, state and size of uploads and deletions that began before `before` and never ended."""
    rows = await connection.fetch_all(
        "SELECT id, state, size FROM files WHERE state IN ('uploading', 'deleting') AND created_at < %s LIMIT %s",
        clock.naive(before),
        batch,
    )
    return [(str(file_id), str(state), int(size)) for file_id, state, size in rows]


def _file(row: Row) -> StoredFile:
    file_id, name, size, media_type, created_at, created_by = row
    return StoredFile(file_id, name, int(size), media_type, clock.utc(created_at), created_by)
