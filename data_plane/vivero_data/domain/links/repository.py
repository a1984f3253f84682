"""SQL of one-time links: one for each user and purpose, so that a newer one replaces what was sent before."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from vivero_web import clock
from vivero_web.links import INVITATION_VALID_FOR, RESET_VALID_FOR

from vivero_data.db.database import Connection


class Purpose(StrEnum):
    """Why its holder may choose a password: they have an account, or they are to have one."""

    RESET = "reset"
    INVITATION = "invitation"


VALID_FOR: Final = {Purpose.RESET: RESET_VALID_FOR, Purpose.INVITATION: INVITATION_VALID_FOR}
"""How long, from when it was made."""


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
    """The mail server has taken the mail with it."""
    await tx.execute("UPDATE mail_links SET sent_at = CURRENT_TIMESTAMP(6) WHERE token_hash = %s", digest)


async def find(connection: Connection, digest: bytes) -> tuple[int, Purpose] | None:
    """Whose link this is and for what, while it is good."""
    row = await connection.fetch_one(
        "SELECT user_id, purpose FROM mail_links WHERE token_hash = %s AND expires_at > CURRENT_TIMESTAMP(6)", digest
    )
    return (int(row[0]), Purpose(row[1])) if row else None


async def spend(tx: Connection, digest: bytes) -> bool:
    """Use it up; False when somebody was faster or it is too old."""
    gone = await tx.execute(
        "DELETE FROM mail_links WHERE token_hash = %s AND expires_at > CURRENT_TIMESTAMP(6)", digest
    )
    return gone == 1


async def expire(tx: Connection, user_id: int) -> None:
    """What was sent opens nothing any more: it went to an address that is no longer theirs."""
    await tx.execute("UPDATE mail_links SET expires_at = CURRENT_TIMESTAMP(6) WHERE user_id = %s", user_id)


async def purge(tx: Connection, before: datetime, batch: int) -> int:
    """Remove resets that expired before `before`; an invitation stays with the user who has not accepted it."""
    return await tx.execute(
        "DELETE FROM mail_links WHERE purpose = 'reset' AND expires_at < %s LIMIT %s", clock.naive(before), batch
    )
