"""SQL of the owner's account."""

from vivero_data.db.database import Connection


async def first_owner_locked(tx: Connection) -> str | None:
    """E-mail of the oldest owner's account, active or not; nobody else asks until this transaction ends.

    One statement instead of two: the counter's row is locked first, and a
    locking read then sees what was committed while it waited.
    """
    row = await tx.fetch_one(
        "SELECT users.email FROM counters LEFT JOIN users ON users.role = 'owner'"
        " WHERE counters.name = 'users' ORDER BY users.id LIMIT 1 FOR UPDATE"
    )
    return str(row[0]) if row and row[0] is not None else None
