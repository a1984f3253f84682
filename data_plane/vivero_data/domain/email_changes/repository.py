"""SQL of changes of an address that were not confirmed yet: one for each user, so that a new one replaces it."""

from datetime import datetime

from vivero_web import clock

from vivero_data.db.database import Connection


async def put(tx: Connection, user_id: int, email: str, digest: bytes, expires_at: datetime) -> None:
    await tx.execute(
        "INSERT INTO email_changes (user_id, email, token_hash, expires_at) VALUES (%s, %s, %s, %s)"
        " ON DUPLICATE KEY UPDATE email = VALUES(email), token_hash = VALUES(token_hash),"
        " expires_at = VALUES(expires_at)",
        user_id,
        email,
        digest,
        clock.naive(expires_at),
    )


async def find_locked(tx: Connection, digest: bytes) -> tuple[int, str] | None:
    """The user and the new address of a valid link."""
    row = await tx.fetch_one(
        "SELECT user_id, email FROM email_changes WHERE token_hash = %s AND expires_at > CURRENT_TIMESTAMP(6) FOR UPDATE",
        digest,
    )
    return (int(row[0]), str(row[1])) if row else None


async def delete(tx: Connection, user_id: int) -> None:
    await tx.execute("DELETE FROM email_changes WHERE user_id = %s", user_id)


async def purge(tx: Connection, before: datetime, batch: int) -> int:
    """Delete those that expired before `before`."""
    return await tx.execute("DELETE FROM email_changes WHERE expires_at < %s LIMIT %s", clock.naive(before), batch)
