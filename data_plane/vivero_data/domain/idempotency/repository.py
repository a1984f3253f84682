"""SQL of idempotency keys."""

from datetime import datetime

import msgspec
from vivero_web import clock

from vivero_data.db.database import Connection
from vivero_data.db.errors import DuplicateKeyError


class Claim(msgspec.Struct, frozen=True):
    """A person's key, by its digest."""

    user_id: int
    digest: bytes


class Known(msgspec.Struct, frozen=True):
    """A key that was sent before.

    Attributes:
        fingerprint: of the request that came with it.
        committed: a transaction of that request was committed.
        answer: sealed; None while there is none.
    """

    fingerprint: bytes
    claimed_at: datetime
    committed: bool
    answer: bytes | None


async def claim(connection: Connection, key: Claim, fingerprint: bytes) -> bool:
    """Whether it is new: of concurrent requests one is the first."""
    try:
        await connection.execute(
            "INSERT INTO idempotency_keys (user_id, key_hash, fingerprint) VALUES (%s, %s, %s)",
            key.user_id,
            key.digest,
            fingerprint,
        )
    except DuplicateKeyError:
        return False
    return True


async def get(connection: Connection, key: Claim) -> Known | None:
    row = await connection.fetch_one(
        "SELECT fingerprint, claimed_at, committed, answer FROM idempotency_keys WHERE user_id = %s AND key_hash = %s",
        key.user_id,
        key.digest,
    )
    if row is None:
        return None
    return Known(bytes(row[0]), clock.utc(row[1]), bool(row[2]), None if row[3] is None else bytes(row[3]))


async def take_over(connection: Connection, key: Claim, known: Known) -> bool:
    """Whether we go on in the place of a request that came to nothing; of concurrent ones one does."""
    taken = await connection.execute(
        "UPDATE idempotency_keys SET claimed_at = CURRENT_TIMESTAMP(6)"
        " WHERE user_id = %s AND key_hash = %s AND claimed_at = %s AND NOT committed AND answer IS NULL",
        key.user_id,
        key.digest,
        clock.naive(known.claimed_at),
    )
    return taken == 1


async def mark_committed(tx: Connection, key: Claim) -> None:
    await tx.execute(
        "UPDATE idempotency_keys SET committed = TRUE WHERE user_id = %s AND key_hash = %s", key.user_id, key.digest
    )


async def put_answer(connection: Connection, key: Claim, answer: bytes) -> None:
    await connection.execute(
        "UPDATE idempotency_keys SET answer = %s WHERE user_id = %s AND key_hash = %s",
        answer,
        key.user_id,
        key.digest,
    )


async def release(connection: Connection, key: Claim) -> None:
    """Forget a request that was refused; one that committed something stays."""
    await connection.execute(
        "DELETE FROM idempotency_keys WHERE user_id = %s AND key_hash = %s AND NOT committed", key.user_id, key.digest
    )


async def purge(tx: Connection, before: datetime, batch: int) -> int:
    """Delete keys from before `before`."""
    return await tx.execute("DELETE FROM idempotency_keys WHERE created_at < %s LIMIT %s", clock.naive(before), batch)
