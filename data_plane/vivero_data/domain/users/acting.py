"""An account as the one on whose behalf code runs."""

from vivero_data.db.database import Connection
from vivero_data.domain.roles import repository as roles
from vivero_data.domain.users.schemas import Actor, User


async def acting(connection: Connection, user: User, session_id: int = 0) -> Actor:
    """The actor that an account is, with what its role allows now."""
    role = await roles.get(connection, user.own_role.id) if user.own_role else None
    return Actor(user.id, user.email, user.name, user.role, session_id, own=role.own if role else None)
