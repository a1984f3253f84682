"""SQL of roles; and of the role with which a session or an API key comes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from vivero_web import clock

from vivero_data.db.database import Connection, Row
from vivero_data.domain.collections.names import fold
from vivero_data.domain.roles.rights import CollectionRights, OwnRole
from vivero_data.lib.json import encode

GRANTED: Final = "u.own_role, o.name, o.files, o.rights"
"""Columns for `granted`, of `users u` with JOINED."""
JOINED: Final = "LEFT JOIN roles o ON o.id = u.own_role"
_COLUMNS: Final = (
    "r.id, r.name, r.files, r.rights, r.created_at, r.updated_at,"
    " (SELECT COUNT(*) FROM users u WHERE u.own_role = r.id)"
)
_NAMED: Final = 3  # of the people who have a role


class StoredRole(msgspec.Struct, frozen=True):
    """A row, and how many people have the role."""

    own: OwnRole
    created_at: datetime
    updated_at: datetime
    people: int


def granted(columns: Sequence[Any]) -> OwnRole | None:
    """The role of who comes, from the columns GRANTED; one that is gone allows nothing."""
    number, name, files, rights = columns
    if number is None:
        return None
    return OwnRole(int(number), name or "", bool(files), _rights(rights) if rights else {})


async def select_page(connection: Connection, limit: int, above: int) -> list[StoredRole]:
    """By number, one more than the limit when there are more."""
    rows = await connection.fetch_all(
        f"SELECT {_COLUMNS} FROM roles r WHERE r.id > %s ORDER BY r.id LIMIT %s",  # noqa: S608  fixed words
        above,
        limit + 1,
    )
    return [_role(row) for row in rows]


async def names(connection: Connection) -> dict[int, str]:
    """Of all roles by number, in the order of their names."""
    return {int(row[0]): row[1] for row in await connection.fetch_all("SELECT id, name FROM roles ORDER BY name_key")}


async def get(connection: Connection, role_id: int) -> StoredRole | None:
    row = await connection.fetch_one(f"SELECT {_COLUMNS} FROM roles r WHERE r.id = %s", role_id)  # noqa: S608  fixed words
    return _role(row) if row else None


async def lock(tx: Connection, role_id: int) -> None:
    """Nobody is given the role until this transaction ends."""
    await tx.fetch_one("SELECT id FROM roles WHERE id = %s FOR UPDATE", role_id)


async def held_name(tx: Connection, role_id: int) -> str | None:
    """What a role is called; it stays until this transaction ends, so that it can be given to somebody."""
    row = await tx.fetch_one("SELECT name FROM roles WHERE id = %s LOCK IN SHARE MODE", role_id)
    return str(row[0]) if row else None


async def having(tx: Connection, role_id: int) -> list[str]:
    """The addresses of the first who have the role."""
    rows = await tx.fetch_all("SELECT email FROM users WHERE own_role = %s ORDER BY email LIMIT %s", role_id, _NAMED)
    return [str(row[0]) for row in rows]


async def count(tx: Connection) -> int:
    row = await tx.fetch_one("SELECT COUNT(*) FROM roles")
    return int(row[0]) if row else 0


async def insert(tx: Connection, role: OwnRole) -> int:
    return await tx.insert("INSERT INTO roles (name, name_key, files, rights) VALUES (%s, %s, %s, %s)", *_values(role))


async def update(tx: Connection, role: OwnRole) -> None:
    await tx.execute(
        "UPDATE roles SET name = %s, name_key = %s, files = %s, rights = %s, updated_at = CURRENT_TIMESTAMP(6)"
        " WHERE id = %s",
        *_values(role),
        role.id,
    )


async def delete(tx: Connection, role_id: int) -> None:
    await tx.execute("DELETE FROM roles WHERE id = %s", role_id)


def _values(role: OwnRole) -> tuple[str, str, bool, str]:
    rights = {str(number): one for number, one in role.collections.items()}
    return role.name, fold(role.name), role.files, encode(rights)


def _rights(text: str) -> dict[int, CollectionRights]:
    return msgspec.json.decode(text, type=dict[int, CollectionRights])


def _role(row: Row) -> StoredRole:
    number, name, files, rights, created_at, updated_at, people = row
    own = OwnRole(int(number), name, bool(files), _rights(rights))
    return StoredRole(own, clock.utc(created_at), clock.utc(updated_at), int(people))
