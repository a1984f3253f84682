"""SQL of one-time links: one for each user and purpose, so that a new link replaces the previous one."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from vivero_web import clock
from vivero_web.links import INVITATION_VALID_FOR, RESET_VALID_FOR

from vivero_data.db.database import Connection


class Purpose(StrEnum):
    """Why its holder may choose a password: to reset one, or to accept an invitation."""

    RESET = "reset"
    INVITATION = "invitation"


VALID_FOR: Final = {Purpose.RESET: RESET_VALID_FOR, Purpose.INVITATION: INVITATION_VALID_FOR}
"""Lifetime of a link."""


async def put(tx: Connection, user_id: int, purpose: Purpose, digest: bytes, expires_at: datetime) -> None:
    await tx.execute(
        "INSERT INTO mail_links (user_id, purpose, token_hash, expires_at) VALUES (%s, %s, %s, %s)"
        " ON DUPLICATE KEY UPDATE token_hash = VALUES(token_hash), expires_at = VALUES(expires_at), sent_at = NULL",
        user_id,
        purpose.value,
        digest,
        clock.naive(expires_at),
    )


async def note_sent(tx: Connection, digest: bytes) -> None:
    """Record that the mail server accepted the mail."""
    await tx.execute("UPDATE mail_links SET sent_at = CURRENT_TIMESTAMP(6) WHERE token_hash = %s", digest)


async def find(connection: Connection, digest: bytes) -> tuple[int, Purpose] | None:
    """The user and purpose of a valid link."""
    row = await connection.fetch_one(
        "SELECT user_id, purpose FROM mail_links WHERE token_hash = %s AND expires_at > CURRENT_TIMESTAMP(6)", digest
    )
    return (int(row[0]), Purpose(row[1])) if row else None


async def spend(tx: Connection, digest: bytes) -> bool:
    """Use the link up; False if it was used concurrently or has expired."""
    gone = await tx.execute(
        "DELETE FROM mail_links WHERE token_hash = %s AND expires_at > CURRENT_TIMESTAMP(6)", digest
    )
    return gone == 1


async def expire(tx: Connection, user_id: int) -> None:
    """Invalidate a user's links, for example after a change of the address that they were sent to."""
    await tx.execute("UPDATE mail_links SET expires_at = CURRENT_TIMESTAMP(6) WHERE user_id = %s", user_id)


async def purge(tx: Connection, before: datetime, batch: int) -> int:
    """Delete resets that expired before `before`; an expired invitation stays with its user."""
    return await tx.execute(
        "DELETE FROM mail_links WHERE purpose = 'reset' AND expires_at < %s LIMIT %s", clock.naive(before), batch
    )
