"""`/api/v1/roles`."""

from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from vivero_web.declared import raises

from vivero_data.domain.auth.guards import needs, needs_person
from vivero_data.domain.collections.schemas import CONTENT_BYTES
from vivero_data.domain.roles.schemas import (
    NewRole,
    RoleChanges,
    RoleId,
    RoleInUseError,
    RoleNameTakenError,
    RolesFullError,
    WorkspaceRole,
)
from vivero_data.domain.roles.service import RoleService
from vivero_data.domain.users.schemas import Actor, Permission
from vivero_data.lib.pages import DEFAULT_LIMIT, Page, PageCursor, PageLimit


class RoleController(Controller):
    """Roles that the workspace defines for itself, beside owner, admin, member and viewer."""

    path = "/roles"
    tags = ("Users",)
    guards = (needs(Permission.MANAGE_USERS),)
    request_max_body_size = CONTENT_BYTES

    @get()
    async def list_roles(
        self,
        actor: NamedDependency[Actor],
        roles: NamedDependency[RoleService],
        limit: PageLimit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> Page[WorkspaceRole]:
        """A page of roles, in the order in which they were made."""
        return await roles.list(actor, limit, cursor)

    @post(guards=[needs_person])
    @raises(RoleNameTakenError, RolesFullError)
    async def create_role(
        self, actor: NamedDependency[Actor], roles: NamedDependency[RoleService], data: JSONBody[NewRole]
    ) -> WorkspaceRole:
        """Make a role: what it does not name, it does not see."""
        return await roles.create(actor, data)

    @get("/{role_id:int}")
    async def get_role(
        self, actor: NamedDependency[Actor], roles: NamedDependency[RoleService], role_id: RoleId
    ) -> WorkspaceRole:
        """One role."""
        return await roles.get(actor, role_id)

    @patch("/{role_id:int}", guards=[needs_person])
    @raises(RoleNameTakenError)
    async def change_role(
        self,
        actor: NamedDependency[Actor],
        roles: NamedDependency[RoleService],
        role_id: RoleId,
        data: JSONBody[RoleChanges],
    ) -> WorkspaceRole:
        """Change a role; it counts at the next request of who has it."""
        return await roles.change(actor, role_id, data)

    @delete("/{role_id:int}", guards=[needs_person])
    @raises(RoleInUseError)
    async def delete_role(
        self, actor: NamedDependency[Actor], roles: NamedDependency[RoleService], role_id: RoleId
    ) -> None:
        """Delete a role that nobody has."""
        await roles.delete(actor, role_id)
