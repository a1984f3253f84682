"""SQL of support sessions, and of grants that their owner has ended."""

from datetime import datetime
from typing import Final

from vivero_web import clock

from vivero_data.db.database import Connection
from vivero_data.domain.users.schemas import READING, Actor, Role

SUPPORT: Final = 0
"""In place of a user's number in the claims of a support session: no account has it."""
_LIVES: Final = "s.ended_at IS NULL AND s.expires_at > CURRENT_TIMESTAMP(6)"
WATCHING: Final = f"(SELECT MIN(s.staff) FROM support_sessions s WHERE {_LIVES})"  # noqa: S608  fixed words
"""Who of the platform's staff looks at the workspace now; null for none."""


async def insert(tx: Connection, grant: str, staff: str, role: Role, expires_at: datetime) -> int | None:
    """The number of a new session; None if its grant was ended."""
    number = await tx.insert(
        "INSERT INTO support_sessions (grant_id, staff, role, expires_at) SELECT %s, %s, %s, %s FROM DUAL"
        " WHERE NOT EXISTS (SELECT * FROM ended_support_grants WHERE grant_id = %s)",
        grant,
        staff,
        role.value,
        clock.naive(expires_at),
        grant,
    )
    return number or None


async def actor(connection: Connection, session_id: int) -> Actor | None:
    """Who acts in a session that is alive."""
    statement = f"SELECT staff, role FROM support_sessions s WHERE id = %s AND {_LIVES}"  # noqa: S608  fixed words
    row = await connection.fetch_one(statement, session_id)
    if row is None:
        return None
    staff, role = row
    return Actor(SUPPORT, staff, "Support", Role(role), session_id, scopes=READING, support=True, watched_by=staff)


async def end(tx: Connection, session_id: int) -> None:
    await tx.execute("UPDATE support_sessions SET ended_at = CURRENT_TIMESTAMP(6) WHERE id = %s", session_id)


async def end_grant(tx: Connection, grant: str) -> bool:
    """Whether it had not ended before. No session begins by it from now on, also by a ticket of before."""
    await tx.execute(
        "UPDATE support_sessions SET ended_at = CURRENT_TIMESTAMP(6) WHERE grant_id = %s AND ended_at IS NULL", grant
    )
    return await tx.execute("INSERT IGNORE INTO ended_support_grants (grant_id) VALUES (%s)", grant) == 1


async def purge(tx: Connection, before: datetime, batch: int) -> int:
    """Delete what ended before `before`: tickets of such a grant are too old by then."""
    moment = clock.naive(before)
    gone = await tx.execute("DELETE FROM support_sessions WHERE expires_at < %s LIMIT %s", moment, batch)
    return gone + await tx.execute("DELETE FROM ended_support_grants WHERE ended_at < %s LIMIT %s", moment, batch)
