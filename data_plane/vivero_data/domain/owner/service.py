"""Creates and changes the owner's account; idempotent."""

import re
from typing import Final

import msgspec
from vivero_web.errors import FieldError, InvalidInputError
from vivero_web.text import PERSON_MAX, email_problem, name_problem, tidy

from vivero_data.db.database import Connection
from vivero_data.domain.audit.service import record
from vivero_data.domain.auth import repository as sessions
from vivero_data.domain.limits import service as counters
from vivero_data.domain.links import repository as links
from vivero_data.domain.users import repository as users
from vivero_data.domain.users.schemas import Role, User
from vivero_data.domain.users.service import normal_email, visible


class OwnerAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The desired owner of the workspace.

    Attributes:
        email: address that the owner logs in with.
        name: given to a new account; an existing one keeps its own.
        password_hash: argon2id PHC string; None leaves the password of an existing account as it is.
        replaces: address that the owner had before; that account gets the new address.
    """

    email: str
    name: str = ""
    password_hash: str | None = None
    replaces: str | None = None


class OwnerState(msgspec.Struct, frozen=True):
    """An existing owner's account, and whether this call created or changed it."""

    email: str
    created: bool = False
    changed: bool = False


# Bounded cost parameters, so that a hash cannot make every login use a gigabyte.
_PHC: Final = re.compile(
    r"\$argon2id\$v=19\$m=[0-9]{4,6},t=[0-9]{1,2},p=[0-9]\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,86}"
)


def problems_with(account: OwnerAccount) -> list[FieldError]:
    """Every field at fault."""
    given, replaced = account.password_hash, account.replaces
    problems = {
        "email": email_problem(account.email.strip()),
        "name": name_problem(tidy(account.name), PERSON_MAX),
        "password_hash": None if given is None or _PHC.fullmatch(given) else "must be an argon2id PHC string",
        "replaces": None if replaced is None else email_problem(replaced.strip()),
    }
    return [FieldError(field, text) for field, text in problems.items() if text]


async def first(connection: Connection) -> OwnerState | None:
    """The current owner, an active one if any; None if there is no owner."""
    email = await _first_owner(connection)
    return OwnerState(email) if email else None


async def ensure(tx: Connection, email: str, name: str, password_hash: str) -> OwnerState:
    """Create the owner unless the workspace has one; for the command line, which never changes an account.

    Raises:
        InvalidInputError: not an e-mail address; `problems_with` finds the rest.
    """
    normal = _normal(email)
    await counters.lock(tx, "users")
    return await first(tx) or await _create(tx, normal, tidy(name), password_hash)


async def apply(tx: Connection, account: OwnerAccount) -> OwnerState | None:
    """Make the account with this address an active owner: an existing one, else `replaces`, else a new one with a hash.

    Returns the current owner if there is no such account and no hash to create one.

    Raises:
        InvalidInputError: not an e-mail address; `problems_with` finds the rest.
    """
    email = _normal(account.email)
    # Lock order: the counter's row comes first in every transaction that needs it; this also serializes calls.
    await counters.lock(tx, "users")
    found = await users.get_with_hash_locked(tx, email) or await _account_to_replace(tx, account.replaces)
    if found is not None:
        return await _update(tx, found, email, account.password_hash)
    if account.password_hash is not None:
        return await _create(tx, email, tidy(account.name), account.password_hash)
    return await first(tx)


def _normal(email: str) -> str:
    normal = normal_email(email)
    if normal is None:
        raise InvalidInputError.of("email", email_problem(email.strip()) or "")
    return normal


async def _account_to_replace(tx: Connection, replaces: str | None) -> tuple[User, str] | None:
    """The owner's account that gets the new address."""
    email = normal_email(replaces) if replaces else None
    found = await users.get_with_hash_locked(tx, email) if email else None
    return found if found and found[0].role is Role.OWNER else None


async def _update(tx: Connection, found: tuple[User, str], email: str, password_hash: str | None) -> OwnerState:
    before, stored = found
    after = msgspec.structs.replace(before, email=email, role=Role.OWNER, active=True)
    if after != before:
        if not before.active:
            await counters.add(tx, "users", 1)
        await users.update(tx, after)
        if after.email != before.email:
            await links.expire(tx, after.id)
        old, new = visible(before), visible(after)
        await record(tx, None, "user.update", email, before=old, after=new, name=after.name)
    new_password = password_hash is not None and password_hash != stored
    if new_password:
        await users.set_password(tx, after.id, password_hash or "")
        await sessions.revoke_all(tx, after.id)
        await record(tx, None, "user.reset_password", email)
    return OwnerState(email, changed=new_password or after != before)


async def _create(tx: Connection, email: str, name: str, password_hash: str) -> OwnerState:
    await users.insert(tx, email, name, Role.OWNER, password_hash)
    # Counted even beyond the plan's limit: without an owner nobody could upgrade the plan.
    await counters.add(tx, "users", 1)
    await record(tx, None, "user.create", email, after={"email": email, "role": Role.OWNER.value}, name=name)
    return OwnerState(email, created=True)


async def _first_owner(connection: Connection) -> str | None:
    """E-mail of the oldest owner's account, of an active one if there is any."""
    row = await connection.fetch_one("SELECT email FROM users WHERE role = 'owner' ORDER BY active DESC, id LIMIT 1")
    return str(row[0]) if row else None
