"""SQL of sessions and refresh tokens."""

from datetime import datetime

import msgspec
from vivero_web import clock
from vivero_web.current_request import current_agent, current_caller

from vivero_data.db.database import Connection, Row
from vivero_data.domain.roles.repository import GRANTED, JOINED, granted
from vivero_data.domain.second_factors.repository import LACKING
from vivero_data.domain.sessions.devices import device_of
from vivero_data.domain.sessions.schemas import SessionView
from vivero_data.domain.support.repository import WATCHING
from vivero_data.domain.users.schemas import Actor, Role
from vivero_data.lib.tokens import SESSION_LIFETIME


class StoredToken(msgspec.Struct, frozen=True):
    """A refresh token with its session; `alive` while the session is valid and its user active."""

    session_id: int
    user_id: int
    spent_at: datetime | None
    alive: bool


async def insert_session(tx: Connection, user_id: int, expires_at: datetime) -> int:
    """Of the request at hand, with what it was sent with and from where."""
    return await tx.insert(
        "INSERT INTO sessions (user_id, expires_at, user_agent, address, last_seen_at)"
        " VALUES (%s, %s, %s, %s, CURRENT_TIMESTAMP(6))",
        user_id,
        clock.naive(expires_at),
        current_agent(),
        current_caller(),
    )


async def insert_token(tx: Connection, session_id: int, token_hash: bytes) -> None:
    await tx.execute("INSERT INTO refresh_tokens (token_hash, session_id) VALUES (%s, %s)", token_hash, session_id)


async def get_token_locked(tx: Connection, token_hash: bytes) -> StoredToken | None:
    """The token, locked: requests that use it are serialized."""
    row = await tx.fetch_one(
        "SELECT t.session_id, s.user_id, t.spent_at,"
        " s.revoked_at IS NULL AND s.expires_at > CURRENT_TIMESTAMP(6) AND u.active"
        " FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id JOIN users u ON u.id = s.user_id"
        " WHERE t.token_hash = %s FOR UPDATE",
        token_hash,
    )
    if row is None:
        return None
    session_id, user_id, spent_at, alive = row
    return StoredToken(session_id, user_id, clock.utc(spent_at) if spent_at else None, bool(alive))


async def spend_token(tx: Connection, token_hash: bytes) -> None:
    await tx.execute("UPDATE refresh_tokens SET spent_at = CURRENT_TIMESTAMP(6) WHERE token_hash = %s", token_hash)


async def extend_session(tx: Connection, session_id: int, expires_at: datetime) -> None:
    """As long as that, or until it has lasted SESSION_LIFETIME."""
    await tx.execute(
        "UPDATE sessions SET expires_at = LEAST(%s, created_at + INTERVAL %s DAY), last_seen_at = CURRENT_TIMESTAMP(6)"
        " WHERE id = %s",
        clock.naive(expires_at),
        SESSION_LIFETIME.days,
        session_id,
    )


async def revoke(tx: Connection, session_id: int) -> None:
    await tx.execute(
        "UPDATE sessions SET revoked_at = CURRENT_TIMESTAMP(6) WHERE id = %s AND revoked_at IS NULL", session_id
    )


async def revoke_own(tx: Connection, user_id: int, session_id: int) -> bool:
    """End one of a user's; False if there is none that has not ended."""
    ended = await tx.execute(
        "UPDATE sessions SET revoked_at = CURRENT_TIMESTAMP(6)"
        " WHERE id = %s AND user_id = %s AND revoked_at IS NULL AND expires_at > CURRENT_TIMESTAMP(6)",
        session_id,
        user_id,
    )
    return ended == 1


async def revoke_all(tx: Connection, user_id: int, but: int = 0) -> int:
    """End every session of a user, but for one; how many."""
    return await tx.execute(
        "UPDATE sessions SET revoked_at = CURRENT_TIMESTAMP(6) WHERE user_id = %s AND id <> %s AND revoked_at IS NULL",
        user_id,
        but,
    )


async def get_actor(connection: Connection, user_id: int, session_id: int) -> Actor | None:
    """The user of a session that is alive."""
    row = await connection.fetch_one(
        f"SELECT u.id, u.email, u.name, u.role, {LACKING}, {WATCHING}, {GRANTED} FROM sessions s JOIN users u ON u.id = s.user_id {JOINED}"  # noqa: S608  fixed words
        " WHERE s.id = %s AND u.id = %s AND s.revoked_at IS NULL AND s.expires_at > CURRENT_TIMESTAMP(6) AND u.active",
        session_id,
        user_id,
    )
    if row is None:
        return None
    number, email, name, role, lacking, watching, *own = row
    return Actor(
        int(number),
        email,
        name,
        Role.read(role, own[0]),
        session_id,
        lacks_second_factor=bool(lacking),
        watched_by=watching or "",
        own=granted(own),
    )


async def select_sessions(connection: Connection, actor: Actor, limit: int, below: int | None) -> list[SessionView]:
    """The actor's sessions that are alive, the newest first, one more than the limit when there are more."""
    rows = await connection.fetch_all(
        "SELECT id, user_agent, address, created_at, COALESCE(last_seen_at, created_at), expires_at FROM sessions"
        " WHERE user_id = %s AND (%s IS NULL OR id < %s) AND revoked_at IS NULL AND expires_at > CURRENT_TIMESTAMP(6)"
        " ORDER BY id DESC LIMIT %s",
        actor.user_id,
        below,
        below,
        limit + 1,
    )
    return [_view(row, actor.session_id) for row in rows]


async def purge(tx: Connection, before: datetime, batch: int) -> int:
    """Delete sessions that ended before `before`, with their tokens; returns how many rows."""
    moment = clock.naive(before)
    # Programs up to revision 0003 count failed logins here, and may run alongside us.
    gone = await tx.execute("DELETE FROM login_attempts WHERE last_at < %s LIMIT %s", moment, batch)
    ids = [
        row[0] for row in await tx.fetch_all("SELECT id FROM sessions WHERE expires_at < %s LIMIT %s", moment, batch)
    ]
    for session_id in ids:
        gone += await tx.execute("DELETE FROM refresh_tokens WHERE session_id = %s", session_id)
        gone += await tx.execute("DELETE FROM sessions WHERE id = %s", session_id)
    return gone


def _view(row: Row, current: int) -> SessionView:
    number, agent, address, created_at, last_seen_at, expires_at = row
    return SessionView(
        id=int(number),
        device=device_of(agent),
        address=address,
        created_at=clock.utc(created_at),
        last_seen_at=clock.utc(last_seen_at),
        expires_at=clock.utc(expires_at),
        current=number == current,
    )
