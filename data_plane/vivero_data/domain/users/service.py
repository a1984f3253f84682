"""The users of a workspace: accounts, roles and passwords."""

from typing import Any, Final

import msgspec
from vivero_web.errors import FieldError, InvalidInputError, NotFoundError
from vivero_web.logins import Logins
from vivero_web.passwords import Passwords
from vivero_web.text import PERSON_MAX, email_problem, name_problem, password_problem, tidy

from vivero_data.db.database import Connection, Database
from vivero_data.db.errors import DuplicateKeyError
from vivero_data.domain.audit.service import record
from vivero_data.domain.auth import repository as sessions
from vivero_data.domain.identity.service import IdentityService
from vivero_data.domain.limits.service import LimitService
from vivero_data.domain.roles import repository as roles
from vivero_data.domain.users import repository
from vivero_data.domain.users.errors import EmailTakenError, LastOwnerError
from vivero_data.domain.users.schemas import (
    Actor,
    GivenRole,
    Me,
    NewUser,
    PasswordChange,
    Permission,
    Role,
    User,
    UserChanges,
    require_may_assign,
    require_permission,
)
from vivero_data.lib import cursors
from vivero_data.lib.pages import DEFAULT_LIMIT, Page, check_limit, page_of

_SORT: Final = "id"


def normal_email(email: str) -> str | None:
    """The address as it is stored, in lower case; None when it is none."""
    tidied = email.strip()
    return None if email_problem(tidied) else tidied.lower()


def person_errors(email: str, name: str) -> list[FieldError]:
    """What is wrong with the normalized texts of a new account."""
    problems = {"email": email_problem(email), "name": name_problem(name, PERSON_MAX)}
    return [FieldError(field, text) for field, text in problems.items() if text]


def check_new(new: NewUser, workspace: str = "") -> NewUser:
    """The input, normalized and validated; `workspace` is its name, which may not be the password.

    Raises:
        InvalidInputError: naming every field at fault.
    """
    email, name = new.email.strip(), tidy(new.name)
    problem = password_problem(new.password, email=email, company=workspace)
    errors = [*person_errors(email, name), *([FieldError("password", problem)] if problem else [])]
    if errors:
        raise InvalidInputError.of_all(errors)
    return msgspec.structs.replace(new, email=email.lower(), name=name)


def visible(user: User) -> dict[str, Any]:
    """An account as the audit log records it."""
    return {"email": user.email, "name": user.name, "role": user.role_name, "active": user.active}


class UserService:
    """Accounts, within the plan's limit; at least one owner always stays."""

    def __init__(
        self,
        database: Database,
        limits: LimitService,
        passwords: Passwords,
        logins: Logins,
        identity: IdentityService,
    ) -> None:
        self._database = database
        self._limits = limits
        self._passwords = passwords
        self._logins = logins
        self._identity = identity

    async def me(self, actor: Actor) -> Me:
        plan = self._limits.current.plan
        workspace = (await self._identity.current()).name
        own = GivenRole(actor.own.id, actor.own.name) if actor.own else None
        return Me(actor.user_id, actor.email, actor.name, actor.role, workspace, plan, own)

    async def list(self, actor: Actor, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Page[User]:
        require_permission(actor, Permission.MANAGE_USERS)
        check_limit(limit)
        above = cursors.decode(cursor, _SORT).id if cursor else 0
        async with self._database.read() as connection:
            users = await repository.select_page(connection, limit, above)
        return page_of(users, limit, lambda user: cursors.by_id(_SORT, user.id))

    async def get(self, actor: Actor, user_id: int) -> User:
        require_permission(actor, Permission.MANAGE_USERS)
        async with self._database.read() as connection:
            return found(await repository.get(connection, user_id))

    async def create(self, actor: Actor, new: NewUser) -> User:
        require_may_assign(actor, None, new.role)
        new = check_new(new, (await self._identity.current()).name)
        hashed = await self._passwords.hash(new.password)
        async with self._database.transaction() as tx:
            await self._limits.reserve(tx, "users")
            role, own = await given_role(tx, new.role, new.own_role)
            try:
                user_id = await repository.insert(tx, new.email, new.name, role, hashed, own)
            except DuplicateKeyError as error:
                raise EmailTakenError from error
            user = found(await repository.get(tx, user_id))
            await record(tx, actor, "user.create", user.email, after=visible(user), name=user.name)
        return user

    async def change(self, actor: Actor, user_id: int, changes: UserChanges) -> User:
        """Rename, give another role, deactivate or activate; a deactivated user's sessions end at once."""
        require_permission(actor, Permission.MANAGE_USERS)
        name = None if changes.name is None else tidy(changes.name)
        problem = name_problem(name or "", PERSON_MAX)
        if problem:
            raise InvalidInputError.of("name", problem)
        async with self._database.transaction() as tx:
            if changes.active is not None:
                # Lock order: the counter's row comes first in every transaction that needs it.
                await self._count_activation(tx, user_id, active=changes.active)
            asked = changes.role or (Role.OWN if changes.own_role else None)
            given = await given_role(tx, asked, changes.own_role) if asked else None
            owners = await repository.active_owners_locked(tx)
            before = found(await repository.get_locked(tx, user_id))
            after = _changed(before, name, changes.active)
            if given:
                after = msgspec.structs.replace(after, role=given[0], own_role=given[1])
            require_may_assign(actor, before.role, after.role)
            if owners == [user_id] and not (after.active and after.role is Role.OWNER):
                raise LastOwnerError
            if after == before:
                return after
            await repository.update(tx, after)
            if not after.active:
                await sessions.revoke_all(tx, user_id)
            old, new = visible(before), visible(after)
            await record(tx, actor, "user.update", after.email, before=old, after=new, name=after.name)
        return after

    async def change_password(self, actor: Actor, change: PasswordChange, address: str) -> None:
        """Set the actor's own password and end their other sessions; `address` is the client's.

        Raises:
            InvalidInputError: the new one cannot be used, or the current one is wrong.
            TooManyRequestsError: too many failed attempts: guessing is limited within a session as well.
        """
        workspace = (await self._identity.current()).name
        problem = password_problem(change.new_password, email=actor.email, company=workspace)
        if problem:
            raise InvalidInputError.of("new_password", problem)
        async with self._database.read() as connection:
            stored = await repository.password_hash(connection, actor.user_id)
        async with self._logins.guess(actor.email, address):
            if not await self._passwords.verify(stored, change.current_password):
                raise InvalidInputError.of("current_password", "is not your current password")
        hashed = await self._passwords.hash(change.new_password)
        async with self._database.transaction() as tx:
            await repository.set_password(tx, actor.user_id, hashed)
            await sessions.revoke_all(tx, actor.user_id, but=actor.session_id)
            await record(tx, actor, "user.change_password", actor.email)

    async def _count_activation(self, tx: Connection, user_id: int, *, active: bool) -> None:
        """Only active users count against the plan."""
        await self._limits.hold(tx, "users")
        user = found(await repository.get_locked(tx, user_id))
        if user.active == active:
            return
        if active:
            await self._limits.reserve(tx, "users")
        else:
            await self._limits.release(tx, "users")


def _changed(user: User, name: str | None, active: bool | None) -> User:  # noqa: FBT001  what was given
    given = {"name": name, "active": active}
    return msgspec.structs.replace(user, **{part: value for part, value in given.items() if value is not None})


async def given_role(tx: Connection, role: Role, own_role: int | None) -> tuple[Role, GivenRole | None]:
    """The role that somebody is given, which stays until this transaction ends.

    Raises:
        InvalidInputError: it is none of the workspace's own, or is said to be one and not which.
    """
    if own_role is None:
        if role is Role.OWN:
            raise InvalidInputError.of("own_role", "must say which of the workspace's own roles")
        return role, None
    name = await roles.held_name(tx, own_role)
    if name is None:
        raise InvalidInputError.of("own_role", "is the number of no role of this workspace")
    return Role.OWN, GivenRole(own_role, name)


def found(user: User | None) -> User:
    """The user.

    Raises:
        NotFoundError: there is none.
    """
    if user is None:
        raise NotFoundError("There is no such user.")
    return user
