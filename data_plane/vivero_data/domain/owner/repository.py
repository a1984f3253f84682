"""SQL of the owner's account."""

from vivero_data.db.database import Connection


async def first_owner(tx: Connection) -> str | None:
    """E-mail of the oldest owner's account, active or not."""
    row = await tx.fetch_one("SELECT email FROM users WHERE role = 'owner' ORDER BY id LIMIT 1")
    return str(row[0]) if row else None
