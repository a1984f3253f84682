"""SQL of second factors and recovery codes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
from vivero_web import clock

from vivero_data.db.database import Connection

LACKING: Final = (
    "EXISTS (SELECT * FROM login_rules WHERE second_factor)"
    " AND NOT EXISTS (SELECT * FROM second_factors f WHERE f.user_id = u.id AND f.active)"
)
"""Of a user `u`: whether everybody needs a second factor, and this one has none."""


class StoredFactor(msgspec.Struct, frozen=True):
    """Of one person; not active until it was confirmed."""

    sealed: bytes
    active: bool
    since: datetime
    codes_left: int


async def get(connection: Connection, user_id: int) -> StoredFactor | None:
    row = await connection.fetch_one(
        "SELECT secret, active, since, (SELECT COUNT(*) FROM recovery_codes c WHERE c.user_id = f.user_id)"
        " FROM second_factors f WHERE user_id = %s",
        user_id,
    )
    return StoredFactor(bytes(row[0]), bool(row[1]), clock.utc(row[2]), int(row[3])) if row else None


async def get_locked(tx: Connection, user_id: int) -> StoredFactor | None:
    """The factor; who changes a person's factor at the same time waits for the person's row."""
    await tx.fetch_one("SELECT id FROM users WHERE id = %s FOR UPDATE", user_id)
    return await get(tx, user_id)


async def put(tx: Connection, user_id: int, sealed: bytes) -> None:
    """One that is to be confirmed, in the place of one that was not."""
    await tx.execute(
        "INSERT INTO second_factors (user_id, secret, active) VALUES (%s, %s, FALSE)"
        " ON DUPLICATE KEY UPDATE secret = VALUES(secret), since = CURRENT_TIMESTAMP(6), last_step = 0",
        user_id,
        sealed,
    )


async def activate(tx: Connection, user_id: int) -> None:
    await tx.execute(
        "UPDATE second_factors SET active = TRUE, since = CURRENT_TIMESTAMP(6) WHERE user_id = %s", user_id
    )


async def spend_step(connection: Connection, user_id: int, step: int) -> bool:
    """Whether no code of this step or of a later one was used before: of concurrent uses one is the first."""
    used = await connection.execute(
        "UPDATE second_factors SET last_step = %s WHERE user_id = %s AND last_step < %s", step, user_id, step
    )
    return used == 1


async def replace_codes(tx: Connection, user_id: int, digests: Sequence[bytes]) -> None:
    await tx.execute("DELETE FROM recovery_codes WHERE user_id = %s", user_id)
    for digest in digests:
        await tx.execute("INSERT INTO recovery_codes (user_id, code_hash) VALUES (%s, %s)", user_id, digest)


async def spend_code(tx: Connection, user_id: int, digest: bytes) -> bool:
    """Use a recovery code up; False if there is none such."""
    return await tx.execute("DELETE FROM recovery_codes WHERE user_id = %s AND code_hash = %s", user_id, digest) == 1


async def delete(tx: Connection, user_id: int) -> bool:
    await tx.execute("DELETE FROM recovery_codes WHERE user_id = %s", user_id)
    return await tx.execute("DELETE FROM second_factors WHERE user_id = %s", user_id) == 1


async def is_required(connection: Connection, *, lock: bool = False) -> bool:
    """Whether everybody needs one; with `lock` until this transaction ends."""
    row = await connection.fetch_one(f"SELECT second_factor FROM login_rules{' FOR UPDATE' if lock else ''}")  # noqa: S608  fixed words
    return bool(row and row[0])


async def require(tx: Connection, *, required: bool) -> None:
    await tx.execute(
        "INSERT INTO login_rules (second_factor) VALUES (%s) ON DUPLICATE KEY UPDATE second_factor = VALUES(second_factor)",
        required,
    )
