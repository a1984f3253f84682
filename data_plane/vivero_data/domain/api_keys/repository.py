"""SQL of API keys."""

from datetime import datetime
from typing import Final

import msgspec
from vivero_web import clock

from vivero_data.db.database import Connection, Row
from vivero_data.domain.api_keys.schemas import MARK, ApiKey, Scope
from vivero_data.domain.roles.repository import GRANTED, JOINED, granted
from vivero_data.domain.users.schemas import READS, Actor, Permission, Role

_COLUMNS: Final = "id, name, prefix, scopes, created_at, expires_at, valid_days, last_used_at, old_until"


class KeyUse(msgspec.Struct, frozen=True):
    """What a request with a key needs: who acts, and when that was seen last."""

    key_id: int
    actor: Actor
    last_used_at: datetime | None


async def insert(tx: Connection, user_id: int, key: ApiKey, digest: bytes) -> int:
    return await tx.insert(
        "INSERT INTO api_keys (user_id, name, prefix, scopes, secret_hash, expires_at, valid_days)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        user_id,
        key.name,
        key.prefix,
        " ".join(key.scopes),
        digest,
        clock.naive(key.expires_at),
        key.valid_days,
    )


async def count_locked(tx: Connection, user_id: int) -> int:
    """How many keys a person has; who makes one at the same time waits for the person's row."""
    await tx.fetch_one("SELECT id FROM users WHERE id = %s FOR UPDATE", user_id)
    row = await tx.fetch_one("SELECT COUNT(*) FROM api_keys WHERE user_id = %s", user_id)
    return int(row[0]) if row else 0


async def get(connection: Connection, user_id: int, key_id: int) -> ApiKey | None:
    row = await connection.fetch_one(
        f"SELECT {_COLUMNS} FROM api_keys WHERE id = %s AND user_id = %s",  # noqa: S608  fixed words
        key_id,
        user_id,
    )
    return _key(row) if row else None


async def get_locked(tx: Connection, user_id: int, key_id: int) -> ApiKey | None:
    """The key, locked until this transaction ends."""
    row = await tx.fetch_one(
        f"SELECT {_COLUMNS} FROM api_keys WHERE id = %s AND user_id = %s FOR UPDATE",  # noqa: S608  fixed words
        key_id,
        user_id,
    )
    return _key(row) if row else None


async def select_page(connection: Connection, user_id: int, limit: int, below: int | None) -> list[ApiKey]:
    """A person's keys, the newest first, one more than the limit when there are more."""
    rows = await connection.fetch_all(
        f"SELECT {_COLUMNS} FROM api_keys WHERE user_id = %s AND (%s IS NULL OR id < %s) ORDER BY id DESC LIMIT %s",  # noqa: S608  fixed words
        user_id,
        below,
        below,
        limit + 1,
    )
    return [_key(row) for row in rows]


async def find(connection: Connection, prefix: str, digest: bytes) -> KeyUse | None:
    """The key of a secret that is good, if its maker's account is active."""
    row = await connection.fetch_one(
        f"SELECT k.id, k.scopes, k.last_used_at, u.id, u.email, u.name, u.role, {GRANTED}"  # noqa: S608  fixed words
        f" FROM api_keys k JOIN users u ON u.id = k.user_id {JOINED}"
        " WHERE k.prefix = %s AND k.expires_at > CURRENT_TIMESTAMP(6) AND u.active"
        " AND (k.secret_hash = %s OR (k.old_hash = %s AND k.old_until > CURRENT_TIMESTAMP(6)))",
        prefix,
        digest,
        digest,
    )
    if row is None:
        return None
    key_id, scopes, last_used_at, user_id, email, name, role, *own = row
    permissions = READS | {Permission(scope) for scope in scopes.split()}
    actor = Actor(
        int(user_id),
        email,
        name,
        Role.read(role, own[0]),
        api_key=f"{MARK}{prefix}",
        scopes=permissions,
        own=granted(own),
    )
    return KeyUse(int(key_id), actor, clock.utc(last_used_at) if last_used_at else None)


async def set_used(connection: Connection, key_id: int) -> None:
    await connection.execute("UPDATE api_keys SET last_used_at = CURRENT_TIMESTAMP(6) WHERE id = %s", key_id)


async def rename(tx: Connection, key_id: int, name: str) -> None:
    await tx.execute("UPDATE api_keys SET name = %s WHERE id = %s", name, key_id)


async def rotate(tx: Connection, key_id: int, digest: bytes, expires_at: datetime, old_until: datetime) -> None:
    """Another secret; the present one is good until `old_until`, and one from before it ends now."""
    await tx.execute(
        "UPDATE api_keys SET old_hash = secret_hash, old_until = %s, secret_hash = %s, expires_at = %s WHERE id = %s",
        clock.naive(old_until),
        digest,
        clock.naive(expires_at),
        key_id,
    )


async def delete(tx: Connection, key_id: int) -> None:
    await tx.execute("DELETE FROM api_keys WHERE id = %s", key_id)


def _key(row: Row) -> ApiKey:
    number, name, prefix, scopes, created_at, expires_at, valid_days, last_used_at, old_until = row
    return ApiKey(
        id=int(number),
        name=name,
        prefix=f"{MARK}{prefix}",
        scopes=[Scope(scope) for scope in scopes.split()],
        created_at=clock.utc(created_at),
        expires_at=clock.utc(expires_at),
        valid_days=int(valid_days),
        last_used_at=clock.utc(last_used_at) if last_used_at else None,
        previous_until=clock.utc(old_until) if old_until and clock.utc(old_until) > clock.now() else None,
    )
