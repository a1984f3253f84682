"""Roles of the workspace's own as the API and the pages see them: by the names of collections and fields."""

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from litestar.params import PathParameter
from vivero_web.errors import ConflictError, FieldError, NotFoundError
from vivero_web.fields import LARGEST, documented

from vivero_data.domain.collections.names import MAX_NAME
from vivero_data.domain.collections.schemas import APART, MAX_FIELDS

MAX_ROLES: Final = 100
MAX_RULES: Final = 500
"""As many as a workspace has collections."""

RoleId = Annotated[int, PathParameter(ge=1, le=LARGEST, description="The role's number.")]
RoleName = Annotated[
    str, documented("Compared without case and spacing; not owner, admin, member or viewer.", minLength=1, maxLength=64)
]


FieldNames = Annotated[
    list[Annotated[str, msgspec.Meta(max_length=MAX_NAME * APART)]], msgspec.Meta(max_length=MAX_FIELDS)
]


class RoleRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a role may do with one collection. It reads it; one without a rule is not there for the role."""

    collection: Annotated[str, msgspec.Meta(max_length=MAX_NAME * APART, description="Its name, in any case.")]
    create: Annotated[bool, msgspec.Meta(description="Add records.")] = False
    change: Annotated[bool, msgspec.Meta(description="Change records, and comment on them.")] = False
    delete: Annotated[bool, msgspec.Meta(description="Put records into the trash.")] = False
    export: Annotated[bool, msgspec.Meta(description="Export the records that the role sees.")] = False
    hidden: Annotated[FieldNames, msgspec.Meta(description="Fields that are not there for the role.")] = []
    read_only: Annotated[FieldNames, msgspec.Meta(description="Fields that the role does not change.")] = []
    where: Annotated[
        dict[str, Any] | None,
        msgspec.Meta(
            description="The records that are there for the role: a condition as `where` of a list has it, also on a"
            " hidden field; `me` in one on a person is who asks. All if null."
        ),
    ] = None


Rules = Annotated[
    list[RoleRule], msgspec.Meta(max_length=MAX_RULES, description="Of the collections that the role reads.")
]
Files = Annotated[
    bool,
    msgspec.Meta(description="See, add and delete the workspace's files, which include exports that others made."),
]


class NewRole(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A role to make."""

    name: RoleName
    files: Files = False
    collections: Rules = []


class RoleChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; absent parts stay as they are."""

    name: RoleName | msgspec.UnsetType = msgspec.UNSET
    files: Files | msgspec.UnsetType = msgspec.UNSET
    collections: Rules | msgspec.UnsetType = msgspec.UNSET


class WorkspaceRole(msgspec.Struct, frozen=True):
    """A role of the workspace's own."""

    id: Annotated[int, msgspec.Meta(description="Its number, which never changes.")]
    name: RoleName
    files: Files
    collections: Rules
    broken: Annotated[
        list[str],
        msgspec.Meta(
            description="Collections whose condition does not fit their fields any more: the role sees no record there."
        ),
    ]
    people: Annotated[int, msgspec.Meta(description="How many accounts have it.")]
    created_at: Annotated[datetime, msgspec.Meta(description="When it was made.")]
    updated_at: Annotated[datetime, msgspec.Meta(description="When it was changed last.")]


class RoleNotFoundError(NotFoundError):
    """The workspace has no such role."""

    def __init__(self) -> None:
        super().__init__("There is no such role.")


class RoleNameTakenError(ConflictError):
    """Another role has this name."""

    def __init__(self) -> None:
        message = "is the name of a role that exists"
        super().__init__(f"name: {message}", errors=[FieldError("name", message)])


class RoleInUseError(ConflictError):
    """People have the role, so it cannot be deleted."""

    def __init__(self, emails: list[str], count: int) -> None:
        more = f" and {count - len(emails)} more" if count > len(emails) else ""
        super().__init__(f"{', '.join(emails)}{more} have this role; give them another one first.")


class RolesFullError(ConflictError):
    """A workspace has a bounded number of roles."""

    def __init__(self) -> None:
        super().__init__(f"A workspace has at most {MAX_ROLES} roles of its own.")
