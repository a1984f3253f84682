"""SQL of users."""

from collections.abc import Collection
from typing import Final

from vivero_web import clock
from vivero_web.passwords import NO_PASSWORD

from vivero_data.db.database import Connection, Row
from vivero_data.domain.users.schemas import GivenRole, Invitation, Role, User

_COLUMNS: Final = (
    "u.id, u.email, u.name, u.role, u.active, u.created_at, u.last_login_at, l.expires_at, l.sent_at, u.own_role,"
    " (SELECT o.name FROM roles o WHERE o.id = u.own_role)"
)
_FROM: Final = "users u LEFT JOIN mail_links l ON l.user_id = u.id AND l.purpose = 'invitation'"


async def insert(  # noqa: PLR0913, PLR0917  the columns of a row
    tx: Connection, email: str, name: str, role: Role, password_hash: str, own_role: GivenRole | None = None
) -> int:
    return await tx.insert(
        "INSERT INTO users (email, name, role, own_role, password_hash) VALUES (%s, %s, %s, %s, %s)",
        email,
        name,
        role.stored,
        own_role.id if own_role else None,
        password_hash,
    )


async def get(connection: Connection, user_id: int) -> User | None:
    row = await connection.fetch_one(f"SELECT {_COLUMNS} FROM {_FROM} WHERE u.id = %s", user_id)  # noqa: S608  fixed words
    return _user(row) if row else None


async def get_locked(tx: Connection, user_id: int) -> User | None:
    """The user, locked until this transaction ends."""
    row = await tx.fetch_one(f"SELECT {_COLUMNS} FROM {_FROM} WHERE u.id = %s FOR UPDATE", user_id)  # noqa: S608  fixed words
    return _user(row) if row else None


async def get_with_hash(connection: Connection, email: str) -> tuple[User, str] | None:
    """The user of an e-mail address and the hash of the password."""
    row = await connection.fetch_one(f"SELECT {_COLUMNS}, u.password_hash FROM {_FROM} WHERE u.email = %s", email)  # noqa: S608  fixed words
    return (_user(row[:-1]), str(row[-1])) if row else None


async def get_with_hash_locked(tx: Connection, email: str) -> tuple[User, str] | None:
    """Like `get_with_hash`, locked until this transaction ends."""
    row = await tx.fetch_one(f"SELECT {_COLUMNS}, u.password_hash FROM {_FROM} WHERE u.email = %s FOR UPDATE", email)  # noqa: S608  fixed words
    return (_user(row[:-1]), str(row[-1])) if row else None


async def select_page(connection: Connection, limit: int, above: int) -> list[User]:
    """Users by id, one more than the limit when there are more."""
    rows = await connection.fetch_all(
        f"SELECT {_COLUMNS} FROM {_FROM} WHERE u.id > %s ORDER BY u.id LIMIT %s",  # noqa: S608  fixed words
        above,
        limit + 1,
    )
    return [_user(row) for row in rows]


async def active_owners(connection: Connection) -> list[int]:
    """Ids of the active owners, also of those who log in elsewhere alone."""
    return [int(row[0]) for row in await connection.fetch_all("SELECT id FROM users WHERE role = 'owner' AND active")]


async def active_owners_locked(tx: Connection) -> list[int]:
    """Ids of the active owners who can log in, locked until this transaction ends."""
    rows = await tx.fetch_all(
        "SELECT id FROM users WHERE role = 'owner' AND active AND password_hash <> %s ORDER BY id FOR UPDATE",
        NO_PASSWORD,
    )
    return [int(row[0]) for row in rows]


async def update(tx: Connection, user: User) -> None:
    await tx.execute(
        "UPDATE users SET email = %s, name = %s, role = %s, own_role = %s, active = %s WHERE id = %s",
        user.email,
        user.name,
        user.role.stored,
        user.own_role.id if user.own_role else None,
        user.active,
        user.id,
    )


async def set_password(tx: Connection, user_id: int, password_hash: str) -> None:
    """Set the password; mailed links become invalid, those to a new address, too; an invitation is accepted."""
    await tx.execute("UPDATE users SET password_hash = %s WHERE id = %s", password_hash, user_id)
    await tx.execute("DELETE FROM mail_links WHERE user_id = %s", user_id)
    await tx.execute("DELETE FROM email_changes WHERE user_id = %s", user_id)


async def delete(tx: Connection, user_id: int) -> None:
    """Delete a user who never had a session."""
    await tx.execute("DELETE FROM mail_links WHERE user_id = %s", user_id)
    await tx.execute("DELETE FROM users WHERE id = %s", user_id)


async def set_last_login(tx: Connection, user_id: int) -> None:
    await tx.execute("UPDATE users SET last_login_at = CURRENT_TIMESTAMP(6) WHERE id = %s", user_id)


async def password_hash(connection: Connection, user_id: int) -> str | None:
    row = await connection.fetch_one("SELECT password_hash FROM users WHERE id = %s", user_id)
    return str(row[0]) if row else None


def _user(row: Row) -> User:
    number, email, name, role, active, created_at, last, expires_at, sent_at, own_role, own_name = row
    return User(
        number,
        email,
        name,
        Role.read(role, own_role),
        active=bool(active),
        created_at=clock.utc(created_at),
        last_login_at=clock.utc(last) if last else None,
        invitation=Invitation(clock.utc(expires_at), clock.utc(sent_at) if sent_at else None) if expires_at else None,
        own_role=GivenRole(int(own_role), own_name or "") if own_role else None,
    )


async def names(connection: Connection, emails: Collection[str]) -> dict[str, str]:
    """What those of these addresses who have a name are called."""
    if not emails:
        return {}
    rows = await connection.fetch_all("SELECT email, name FROM users WHERE email IN %s AND name <> ''", tuple(emails))
    return dict(rows)
