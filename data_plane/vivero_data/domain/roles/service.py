"""Roles of the workspace's own: made, changed and deleted by who manages users."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from vivero_data.db.database import Connection, Database
from vivero_data.db.errors import DuplicateKeyError
from vivero_data.domain.audit.service import record
from vivero_data.domain.collections import repository as collections
from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.roles import repository
from vivero_data.domain.roles.definition import named_form, stored_form
from vivero_data.domain.roles.repository import StoredRole
from vivero_data.domain.roles.schemas import (
    MAX_ROLES,
    NewRole,
    RoleChanges,
    RoleInUseError,
    RoleNameTakenError,
    RoleNotFoundError,
    RolesFullError,
    WorkspaceRole,
)
from vivero_data.domain.users.schemas import Actor, Permission, require_permission
from vivero_data.lib import cursors
from vivero_data.lib.pages import DEFAULT_LIMIT, Page, check_limit, page_of

_SORT: Final = "id"


class RoleService:
    """The workspace's own roles. What is changed counts at the next request of who has the role."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, actor: Actor, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Page[WorkspaceRole]:
        require_permission(actor, Permission.MANAGE_USERS)
        check_limit(limit)
        above = cursors.decode(cursor, _SORT).id if cursor else 0
        async with self._database.read() as connection:
            found = await repository.select_page(connection, limit, above)
            known = await _known(connection) if found else {}
        shown = [_shown(known, one) for one in found]
        return page_of(shown, limit, lambda role: cursors.by_id(_SORT, role.id))

    async def names(self, actor: Actor) -> dict[int, str]:
        """Of all roles that people can be given, by number, in order."""
        require_permission(actor, Permission.MANAGE_USERS)
        async with self._database.read() as connection:
            return await repository.names(connection)

    async def get(self, actor: Actor, role_id: int) -> WorkspaceRole:
        require_permission(actor, Permission.MANAGE_USERS)
        async with self._database.read() as connection:
            return _shown(await _known(connection), _found(await repository.get(connection, role_id)))

    async def create(self, actor: Actor, new: NewRole) -> WorkspaceRole:
        """Make a role.

        Raises:
            InvalidInputError: naming every place at fault.
            RoleNameTakenError: another one has the name.
            RolesFullError: there are enough.
        """
        require_permission(actor, Permission.MANAGE_USERS)
        async with self._database.transaction() as tx:
            known = await _known(tx)
            role = stored_form(known.values(), new)
            if await repository.count(tx) >= MAX_ROLES:
                raise RolesFullError
            try:
                number = await repository.insert(tx, role)
            except DuplicateKeyError as error:
                raise RoleNameTakenError from error
            made = _shown(known, _found(await repository.get(tx, number)))
            await record(tx, actor, "role.create", made.name, after=_visible(made))
        return made

    async def change(self, actor: Actor, role_id: int, changes: RoleChanges) -> WorkspaceRole:
        """Change a role; one without a change writes nothing. Errors as `create`."""
        require_permission(actor, Permission.MANAGE_USERS)
        async with self._database.transaction() as tx:
            await repository.lock(tx, role_id)
            stored = _found(await repository.get(tx, role_id))
            known = await _known(tx)
            before = _shown(known, stored)
            wanted = NewRole(
                before.name if changes.name is msgspec.UNSET else changes.name,
                before.files if changes.files is msgspec.UNSET else changes.files,
                [] if changes.collections is msgspec.UNSET else changes.collections,
            )
            role = stored_form(known.values(), wanted, role_id)
            if changes.collections is msgspec.UNSET:
                role = msgspec.structs.replace(role, collections=stored.own.collections)
            if role == stored.own:
                return before
            try:
                await repository.update(tx, role)
            except DuplicateKeyError as error:
                raise RoleNameTakenError from error
            after = _shown(known, _found(await repository.get(tx, role_id)))
            await record(tx, actor, "role.update", after.name, before=_visible(before), after=_visible(after))
        return after

    async def delete(self, actor: Actor, role_id: int) -> None:
        """Delete a role that nobody has.

        Raises:
            RoleInUseError: somebody has it.
        """
        require_permission(actor, Permission.MANAGE_USERS)
        async with self._database.transaction() as tx:
            await repository.lock(tx, role_id)
            gone = _shown(await _known(tx), _found(await repository.get(tx, role_id)))
            if gone.people:
                raise RoleInUseError(await repository.having(tx, role_id), gone.people)
            await repository.delete(tx, role_id)
            await record(tx, actor, "role.delete", gone.name, before=_visible(gone))


async def _known(connection: Connection) -> dict[int, Collection]:
    return {one.id: one for one in await collections.select_all(connection)}


def _shown(known: Mapping[int, Collection], stored: StoredRole) -> WorkspaceRole:
    rules, broken = named_form(known, stored.own)
    return WorkspaceRole(
        id=stored.own.id,
        name=stored.own.name,
        files=stored.own.files,
        collections=rules,
        broken=broken,
        people=stored.people,
        created_at=stored.created_at,
        updated_at=stored.updated_at,
    )


def _found(stored: StoredRole | None) -> StoredRole:
    if stored is None:
        raise RoleNotFoundError
    return stored


def _visible(role: WorkspaceRole) -> dict[str, Any]:
    """A role as the audit log has it."""
    said: dict[str, Any] = msgspec.to_builtins(role)
    return {name: said[name] for name in ("name", "files", "collections")}
