"""SQL of the owner's account."""

from vivero_data.db.database import Connection


async def first_owner(connection: Connection) -> str | None:
    """E-mail of the oldest owner's account, of an active one if there is any."""
    row = await connection.fetch_one("SELECT email FROM users WHERE role = 'owner' ORDER BY active DESC, id LIMIT 1")
    return str(row[0]) if row else None
