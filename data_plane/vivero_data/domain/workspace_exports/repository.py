"""SQL of exports of the workspace.

A piece is noted before its object is stored, so that no object is forgotten. What is not ready expires by itself.
"""

from datetime import datetime
from typing import Final

from vivero_web import clock

from vivero_data.db.database import Connection, Row
from vivero_data.domain.workspace_exports.schemas import WorkspaceExport

_COLUMNS: Final = "id, size, records, files, created_by, created_at, expires_at"
_THERE: Final = "ready AND expires_at > CURRENT_TIMESTAMP(6)"


async def insert(tx: Connection, created_by: str, expires_at: datetime) -> int:
    return await tx.insert(
        "INSERT INTO workspace_exports (created_by, expires_at) VALUES (%s, %s)", created_by, clock.naive(expires_at)
    )


async def add_piece(tx: Connection, export_id: int, number: int, object_id: str) -> bool:
    """Note a piece; False if the export is gone or has expired."""
    added = await tx.execute(
        "INSERT INTO workspace_export_pieces (export_id, number, object)"
        " SELECT id, %s, %s FROM workspace_exports WHERE id = %s AND expires_at > CURRENT_TIMESTAMP(6)",
        number,
        object_id,
        export_id,
    )
    return added == 1


async def publish(tx: Connection, export: WorkspaceExport) -> bool:
    """Make an export ready, in the place of any other; False if it is gone or has expired."""
    await tx.execute(
        "UPDATE workspace_exports SET expires_at = CURRENT_TIMESTAMP(6) WHERE ready AND id <> %s", export.id
    )
    changed = await tx.execute(
        "UPDATE workspace_exports SET ready = TRUE, size = %s, records = %s, files = %s, expires_at = %s"
        " WHERE id = %s AND expires_at > CURRENT_TIMESTAMP(6)",
        export.size,
        export.records,
        export.files,
        clock.naive(export.expires_at),
        export.id,
    )
    return changed == 1


async def select_page(connection: Connection, limit: int, below: int | None) -> list[WorkspaceExport]:
    """Those that are there, newest first, one more than the limit when there are more."""
    rows = await connection.fetch_all(
        f"SELECT {_COLUMNS} FROM workspace_exports WHERE {_THERE} AND (%s IS NULL OR id < %s)"  # noqa: S608  fixed words
        " ORDER BY id DESC LIMIT %s",
        below,
        below,
        limit + 1,
    )
    return [_export(row) for row in rows]


async def get(connection: Connection, export_id: int) -> WorkspaceExport | None:
    row = await connection.fetch_one(
        f"SELECT {_COLUMNS} FROM workspace_exports WHERE {_THERE} AND id = %s",  # noqa: S608  fixed words
        export_id,
    )
    return _export(row) if row else None


async def pieces(connection: Connection, export_id: int) -> list[str]:
    """The objects that an export consists of, in order."""
    rows = await connection.fetch_all(
        "SELECT object FROM workspace_export_pieces WHERE export_id = %s ORDER BY number", export_id
    )
    return [str(row[0]) for row in rows]


async def expire(tx: Connection, export_id: int) -> bool:
    """Let go of an export; False if it was not there."""
    changed = await tx.execute(
        f"UPDATE workspace_exports SET expires_at = CURRENT_TIMESTAMP(6) WHERE {_THERE} AND id = %s",  # noqa: S608  fixed words
        export_id,
    )
    return changed == 1


async def select_expired(connection: Connection, limit: int) -> list[int]:
    rows = await connection.fetch_all(
        "SELECT id FROM workspace_exports WHERE expires_at <= CURRENT_TIMESTAMP(6) LIMIT %s", limit
    )
    return [int(row[0]) for row in rows]


async def remove(tx: Connection, export_id: int) -> None:
    """Forget an export whose objects are gone."""
    await tx.execute("DELETE FROM workspace_export_pieces WHERE export_id = %s", export_id)
    await tx.execute("DELETE FROM workspace_exports WHERE id = %s", export_id)


def _export(row: Row) -> WorkspaceExport:
    number, size, records, files, created_by, created_at, expires_at = row
    return WorkspaceExport(
        int(number), int(size), int(records), int(files), created_by, clock.utc(created_at), clock.utc(expires_at)
    )
