"""SQL of dashboards. Tiles are stored as JSON; collections in them by number."""

from datetime import datetime
from typing import Final

import msgspec
from vivero_web import clock

from vivero_data.db.database import Connection, Row
from vivero_data.domain.dashboards.schemas import Tile
from vivero_data.lib.json import decode, encode

_SELECT: Final = (
    "SELECT d.id, d.name, d.tiles, d.shared, d.home, d.owner_id, COALESCE(u.email, ''), d.created_at, d.updated_at"
    " FROM dashboards d LEFT JOIN users u ON u.id = d.owner_id"
)


class Content(msgspec.Struct, frozen=True):
    """What can be changed of a dashboard."""

    name: str
    tiles: tuple[Tile, ...]
    shared: bool
    home: bool


class StoredDashboard(msgspec.Struct, frozen=True):
    """A row."""

    id: int
    content: Content
    owner_id: int
    owner: str
    created_at: datetime
    updated_at: datetime


async def select_page(connection: Connection, user_id: int, limit: int, below: int | None) -> list[StoredDashboard]:
    """What the user may see, the newest first; one more than the limit when there are more."""
    rows = await connection.fetch_all(
        f"{_SELECT} WHERE (d.shared OR d.owner_id = %s) AND (%s IS NULL OR d.id < %s) ORDER BY d.id DESC LIMIT %s",
        user_id,
        below,
        below,
        limit + 1,
    )
    return [_dashboard(row) for row in rows]


async def select_all(connection: Connection) -> list[StoredDashboard]:
    """The shared ones, and everybody's own."""
    return [_dashboard(row) for row in await connection.fetch_all(f"{_SELECT} ORDER BY d.id")]


async def get(connection: Connection, dashboard_id: int, user_id: int, *, lock: bool = False) -> StoredDashboard | None:
    """The dashboard, if the user may see it."""
    row = await connection.fetch_one(
        f"{_SELECT} WHERE d.id = %s AND (d.shared OR d.owner_id = %s){' FOR UPDATE' if lock else ''}",
        dashboard_id,
        user_id,
    )
    return _dashboard(row) if row else None


async def home(connection: Connection) -> StoredDashboard | None:
    row = await connection.fetch_one(f"{_SELECT} WHERE d.home = 1")
    return _dashboard(row) if row else None


async def no_home(tx: Connection) -> None:
    """None is the home page's any more."""
    await tx.execute("UPDATE dashboards SET home = NULL WHERE home = 1")


async def count(tx: Connection) -> int:
    row = await tx.fetch_one("SELECT COUNT(*) FROM dashboards")
    return int(row[0]) if row else 0


async def insert(tx: Connection, owner_id: int, content: Content) -> int:
    return await tx.insert(
        "INSERT INTO dashboards (name, tiles, shared, home, owner_id) VALUES (%s, %s, %s, %s, %s)",
        content.name,
        encode(content.tiles),
        content.shared,
        content.home or None,
        owner_id,
    )


async def update(tx: Connection, dashboard_id: int, content: Content) -> None:
    await tx.execute(
        "UPDATE dashboards SET name = %s, tiles = %s, shared = %s, home = %s, updated_at = CURRENT_TIMESTAMP(6)"
        " WHERE id = %s",
        content.name,
        encode(content.tiles),
        content.shared,
        content.home or None,
        dashboard_id,
    )


async def delete(tx: Connection, dashboard_id: int) -> None:
    await tx.execute("DELETE FROM dashboards WHERE id = %s", dashboard_id)


async def collection_names(connection: Connection) -> dict[str, str]:
    """The names of all collections by number, as text."""
    rows = await connection.fetch_all("SELECT id, COALESCE(label, name) FROM collections")
    return {str(number): str(name) for number, name in rows}


def _dashboard(row: Row) -> StoredDashboard:
    number, name, tiles, shared, is_home, owner_id, owner, created, updated = row
    content = Content(name, msgspec.convert(decode(tiles), tuple[Tile, ...]), bool(shared), bool(is_home))
    return StoredDashboard(number, content, owner_id, owner, clock.utc(created), clock.utc(updated))
