"""Counters of what the plan limits: rows that are locked while something is added."""

from vivero_web.errors import WebError

from vivero_data.db.database import Connection


async def lock(tx: Connection, name: str) -> int:
    """The counter's value; nobody else changes it until this transaction ends."""
    row = await tx.fetch_one("SELECT value FROM counters WHERE name = %s FOR UPDATE", name)
    if row is None:
        raise WebError(f"The counter {name} is missing.")
    return int(row[0])


async def add(tx: Connection, name: str, amount: int) -> None:
    await tx.execute("UPDATE counters SET value = value + %s WHERE name = %s", amount, name)


async def values(connection: Connection) -> dict[str, int]:
    """Every counter by name."""
    return {str(name): int(value) for name, value in await connection.fetch_all("SELECT name, value FROM counters")}
