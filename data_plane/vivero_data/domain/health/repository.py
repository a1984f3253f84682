"""SQL of the proof."""

import secrets

from vivero_data.db.database import Database
from vivero_data.errors import UnavailableError


async def prove(database: Database) -> None:
    """Write, read and take back a row.

    Raises:
        UnavailableError: it did not come back, or the database does not answer.
    """
    name = f"proof-{secrets.token_hex(8)}"
    async with database.transaction() as tx:
        await tx.execute("INSERT INTO counters (name, value) VALUES (%s, 1)", name)
        row = await tx.fetch_one("SELECT value FROM counters WHERE name = %s", name)
        await tx.execute("DELETE FROM counters WHERE name = %s", name)
    if row != (1,):
        raise UnavailableError("The database did not return what was written.")


async def ping(database: Database) -> None:
    """Ask whether the database is there.

    Raises:
        UnavailableError: it is not.
    """
    async with database.read() as connection:
        await connection.fetch_one("SELECT 1")
