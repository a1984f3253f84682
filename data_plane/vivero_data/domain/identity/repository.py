"""SQL of the one row that says who the workspace is."""

from vivero_data.db.database import Connection
from vivero_data.domain.identity.schemas import Identity


async def select(connection: Connection) -> Identity | None:
    """What the operator has told; None when it has told nothing."""
    row = await connection.fetch_one("SELECT name, public_url FROM workspace")
    return Identity(str(row[0]), str(row[1])) if row else None


async def save(tx: Connection, identity: Identity) -> None:
    await tx.execute(
        "INSERT INTO workspace (name, public_url) VALUES (%s, %s)"
        " ON DUPLICATE KEY UPDATE name = VALUES(name), public_url = VALUES(public_url)",
        identity.name,
        identity.public_url,
    )
