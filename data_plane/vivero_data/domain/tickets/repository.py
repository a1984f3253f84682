"""SQL of used login tickets."""

from datetime import datetime

from vivero_web import clock

from vivero_data.db.database import Connection
from vivero_data.db.errors import DuplicateKeyError


async def spend(tx: Connection, jti: str, expires_at: datetime) -> bool:
    """Mark a ticket as used; False if it was used before."""
    try:
        await tx.execute("INSERT INTO spent_tickets (jti, expires_at) VALUES (%s, %s)", jti, clock.naive(expires_at))
    except DuplicateKeyError:
        return False
    return True


async def purge(tx: Connection, before: datetime, batch: int) -> int:
    """Delete tickets that expired before `before`: their signed expiry rejects them anyway."""
    return await tx.execute("DELETE FROM spent_tickets WHERE expires_at < %s LIMIT %s", clock.naive(before), batch)
