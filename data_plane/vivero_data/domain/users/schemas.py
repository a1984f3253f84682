"""Users as the API and the pages see them."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from litestar.params import PathParameter
from vivero_web.errors import NotAllowedError
from vivero_web.fields import LARGEST, Email, NewPassword, PersonName, TypedPassword

from vivero_data.domain.roles.rights import OwnRole

UserId = Annotated[int, PathParameter(ge=1, le=LARGEST, description="The account's number.")]


class Permission(StrEnum):
    """A permission; code checks permissions, never roles."""

    READ = "read"
    READ_FILES = "read_files"
    READ_USAGE = "read_usage"
    WRITE_RECORDS = "write_records"
    WRITE_FILES = "write_files"
    MANAGE_COLLECTIONS = "manage_collections"
    MANAGE_USERS = "manage_users"
    MANAGE_WORKSPACE = "manage_workspace"
    READ_AUDIT_LOG = "read_audit_log"
    MANAGE_ADMINS = "manage_admins"
    CHANGE_PLAN = "change_plan"
    EXPORT_WORKSPACE = "export_workspace"


READS: Final = frozenset({Permission.READ, Permission.READ_FILES, Permission.READ_USAGE})
"""What everybody has but some of the workspace's own roles."""
READING: Final = READS | {Permission.READ_AUDIT_LOG}
"""What is left of anybody's permissions where nothing can be changed."""


class Role(StrEnum):
    """A named set of permissions.

    owner: everything, and cannot be the last one to go; admin: users,
    collections, audit; member: records and files; viewer: reading;
    own: what one of the workspace's own roles says, nothing by itself.
    """

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"
    OWN = "own"

    @property
    def permissions(self) -> frozenset[Permission]:
        return _PERMISSIONS[self]

    @property
    def stored(self) -> str:
        """As the column has it: to a program from before own roles, who has one is a viewer."""
        return (Role.VIEWER if self is Role.OWN else self).value

    @classmethod
    def read(cls, stored: str, own_role: int | None) -> "Role":
        return cls(stored) if own_role is None else cls.OWN


_WRITE: Final = frozenset({Permission.WRITE_RECORDS, Permission.WRITE_FILES})
_MANAGE: Final = frozenset(
    {Permission.MANAGE_WORKSPACE, Permission.MANAGE_COLLECTIONS, Permission.MANAGE_USERS, Permission.READ_AUDIT_LOG}
)
_PERMISSIONS: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.OWNER: frozenset(Permission),
    Role.ADMIN: _MANAGE | _WRITE | READS,
    Role.MEMBER: _WRITE | READS,
    Role.VIEWER: READS,
    Role.OWN: frozenset(),
}


def _permissions_of(role: OwnRole) -> frozenset[Permission]:
    """Of one of the workspace's own: it writes if it does anywhere; where it does, `records/access.py` says."""
    writes = any(one.create or one.change or one.delete for one in role.collections.values())
    files = {Permission.READ_FILES, Permission.WRITE_FILES} if role.files else set()
    return frozenset({Permission.READ, *files, *([Permission.WRITE_RECORDS] if writes else [])})


def roles_with(permission: Permission) -> list[Role]:
    """The roles with this permission, the most powerful first."""
    return [role for role in Role if permission in role.permissions]


class Actor(msgspec.Struct, frozen=True):
    """The signed-in user on whose behalf code runs.

    Attributes:
        own: what the role `own` stands for; None with any other.
        api_key: how the key begins whose program acts; empty for a person.
        scopes: what that key was made for; None for a person.
        lacks_second_factor: whether the workspace requires two-step login, and this person has not set it up.
        support: whether this is one of the platform's staff, who has no account here and changes nothing.
        watched_by: who of the platform's staff looks at the workspace now; empty for none.
    """

    user_id: int
    email: str
    name: str
    role: Role
    session_id: int = 0
    api_key: str = ""
    scopes: frozenset[Permission] | None = None
    lacks_second_factor: bool = False
    own: OwnRole | None = None
    support: bool = False
    watched_by: str = ""

    @property
    def role_name(self) -> str:
        return self.own.name if self.own else self.role

    @property
    def granted(self) -> frozenset[Permission]:
        """What the role allows, whatever an API key was made for."""
        return _permissions_of(self.own) if self.own else self.role.permissions

    @property
    def permissions(self) -> frozenset[Permission]:
        return self.granted if self.scopes is None else self.granted & self.scopes

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions


Active = Annotated[bool, msgspec.Meta(description="Whether its person may log in.")]


class Invitation(msgspec.Struct, frozen=True):
    """A mailed link of an invited user, who has not chosen a password yet."""

    expires_at: Annotated[datetime, msgspec.Meta(description="When it expires.")]
    sent_at: Annotated[
        datetime | None, msgspec.Meta(description="When the mail server accepted it; null until then.")
    ] = None


class GivenRole(msgspec.Struct, frozen=True):
    """One of the workspace's own roles, which somebody has."""

    id: Annotated[int, msgspec.Meta(description="The role's number.")]
    name: Annotated[str, msgspec.Meta(description="What it is called.")]


OwnRoleOf = Annotated[
    GivenRole | None, msgspec.Meta(description="What the role `own` stands for; null with any other.")
]
OwnRoleNumber = Annotated[
    Annotated[int, msgspec.Meta(ge=1, le=LARGEST)] | None,
    msgspec.Meta(
        description="The number of one of the workspace's own roles, in place of `role`, which is then `own`."
    ),
]


class User(msgspec.Struct):
    """One account; never contains the password hash."""

    id: Annotated[int, msgspec.Meta(description="Its number, which never changes.")]
    email: Annotated[str, msgspec.Meta(description="The account's e-mail address, in lower case.")]
    name: PersonName
    role: Role
    active: Active
    created_at: Annotated[datetime, msgspec.Meta(description="When it was made.")]
    last_login_at: Annotated[datetime | None, msgspec.Meta(description="When its person logged in last.")] = None
    invitation: Annotated[Invitation | None, msgspec.Meta(description="While the user has no password.")] = None
    own_role: OwnRoleOf = None

    @property
    def role_name(self) -> str:
        return self.own_role.name if self.own_role else self.role


class Me(msgspec.Struct):
    """The caller and the workspace they are in."""

    id: Annotated[int, msgspec.Meta(description="The account's number.")]
    email: Annotated[str, msgspec.Meta(description="The account's e-mail address.")]
    name: PersonName
    role: Role
    workspace: Annotated[str, msgspec.Meta(description="The workspace's name.")]
    plan: Annotated[str, msgspec.Meta(description="The name of the workspace's plan.")]
    own_role: OwnRoleOf = None


class NewUser(msgspec.Struct, forbid_unknown_fields=True):
    """An account to create; the password is communicated out of band."""

    email: Email
    password: NewPassword
    name: PersonName = ""
    role: Role = Role.MEMBER
    own_role: OwnRoleNumber = None


class UserChanges(msgspec.Struct, forbid_unknown_fields=True):
    """What to change; absent fields stay as they are."""

    name: PersonName | None = None
    role: Role | None = None
    active: Active | None = None
    own_role: OwnRoleNumber = None


class PasswordChange(msgspec.Struct, forbid_unknown_fields=True):
    """One's own new password, proven by the current one."""

    current_password: TypedPassword
    new_password: NewPassword


def roles_needed(permission: Permission) -> str:
    """The roles with this permission, in words."""
    return f"the role {' or '.join(roles_with(permission))}"


def require_permission(actor: Actor, permission: Permission) -> None:
    """Check the actor's permission.

    Raises:
        NotAllowedError: naming the roles that have it.
    """
    if actor.may(permission):
        return
    if actor.support:
        raise NotAllowedError("Support looks at this workspace and changes nothing in it.")
    if permission in actor.granted:
        raise NotAllowedError(f"This API key has no scope {permission}; its maker can make one that has.")
    raise NotAllowedError(f"This needs {roles_needed(permission)}; yours is {actor.role_name}. An owner can change it.")


def require_may_assign(actor: Actor, current: Role | None, wanted: Role) -> None:
    """Check that the actor may change a role: roles that manage users are assigned and removed by owners only.

    Raises:
        NotAllowedError: the actor lacks the permission.
    """
    require_permission(actor, Permission.MANAGE_USERS)
    high = roles_with(Permission.MANAGE_USERS)
    if wanted in high or current in high:
        require_permission(actor, Permission.MANAGE_ADMINS)
