"""SQL of files."""

from datetime import datetime
from typing import Final

from vivero_web import clock

from vivero_data.db.database import Connection, Row
from vivero_data.domain.files.schemas import StoredFile

_COLUMNS: Final = "id, name, size, media_type, created_at, created_by"


async def insert(tx: Connection, file: StoredFile, *, source: bool) -> None:
    """Add a file whose content is being uploaded; a source is in no list."""
    await tx.execute(
        "INSERT INTO files (id, name, size, media_type, state, created_at, created_by, source)"
        " VALUES (%s, %s, %s, %s, 'uploading', %s, %s, %s)",
        file.id,
        file.name,
        file.size,
        file.media_type,
        clock.naive(file.created_at),
        file.created_by,
        source,
    )


async def mark(tx: Connection, file_id: str, old: str, new: str) -> bool:
    """Change a file's state from `old` to `new`; False if it was not in `old`."""
    return await tx.execute("UPDATE files SET state = %s WHERE id = %s AND state = %s", new, file_id, old) == 1


async def remove(tx: Connection, file_id: str, state: str) -> bool:
    """Delete the row of a file in this state; False if it was in another."""
    return await tx.execute("DELETE FROM files WHERE id = %s AND state = %s", file_id, state) == 1


async def get(connection: Connection, file_id: str) -> StoredFile | None:
    row = await connection.fetch_one(
        f"SELECT {_COLUMNS} FROM files WHERE id = %s AND state = 'stored' AND NOT source",  # noqa: S608  fixed words
        file_id,
    )
    return _file(row) if row else None


async def select_page(connection: Connection, limit: int, before: tuple[datetime, str] | None) -> list[StoredFile]:
    """Files, newest first, one more than the limit when there are more."""
    place = "" if before is None else " AND (created_at < %s OR (created_at = %s AND id < %s))"
    params = () if before is None else (before[0], before[0], before[1])
    rows = await connection.fetch_all(
        f"SELECT {_COLUMNS} FROM files WHERE state = 'stored' AND NOT source{place}"  # noqa: S608  fixed words
        " ORDER BY created_at DESC, id DESC LIMIT %s",
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
