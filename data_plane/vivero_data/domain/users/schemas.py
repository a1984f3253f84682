"""Users as the API and the pages see them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec
from vivero_web.fields import Email, NewPassword, PersonName, TypedPassword


class Role(StrEnum):
    """What a user may do; each includes the next.

    owner: everything, and cannot be the last one to go; admin: users,
    collections, audit; member: records and files; viewer: reading.
    """

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"

    def includes(self, other: "Role") -> bool:
        """Whether this role may do all that `other` may."""
        ranks = list(Role)
        return ranks.index(self) <= ranks.index(other)


class Actor(msgspec.Struct, frozen=True):
    """The signed-in user on whose behalf something is done."""

    user_id: int
    email: str
    name: str
    role: Role
    session_id: int = 0


Active = Annotated[bool, msgspec.Meta(description="Whether its person may log in.")]


class Invitation(msgspec.Struct, frozen=True):
    """A link that was mailed to somebody who has not chosen a password yet."""

    expires_at: Annotated[datetime, msgspec.Meta(description="Until when it is good.")]
    sent_at: Annotated[
        datetime | None, msgspec.Meta(description="When the mail server took it; null as long as it has not.")
    ] = None


class User(msgspec.Struct):
    """One account; never carries the password's hash."""

    id: Annotated[int, msgspec.Meta(description="Its number, which never changes.")]
    email: Annotated[str, msgspec.Meta(description="The account's e-mail address, in lower case.")]
    name: PersonName
    role: Role
    active: Active
    created_at: Annotated[datetime, msgspec.Meta(description="When it was made.")]
    last_login_at: Annotated[datetime | None, msgspec.Meta(description="When its person logged in last.")] = None
    invitation: Annotated[Invitation | None, msgspec.Meta(description="While the user has no password.")] = None


class Me(msgspec.Struct):
    """The caller and the workspace they are in."""

    id: Annotated[int, msgspec.Meta(description="The account's number.")]
    email: Annotated[str, msgspec.Meta(description="The account's e-mail address.")]
    name: PersonName
    role: Role
    workspace: Annotated[str, msgspec.Meta(description="The workspace's name.")]
    plan: Annotated[str, msgspec.Meta(description="The name of the workspace's plan.")]


class NewUser(msgspec.Struct, forbid_unknown_fields=True):
    """An account to create; the password is given to its person out of band."""

    email: Email
    password: NewPassword
    name: PersonName = ""
    role: Role = Role.MEMBER


class UserChanges(msgspec.Struct, forbid_unknown_fields=True):
    """What to change; what is absent stays."""

    name: PersonName | None = None
    role: Role | None = None
    active: Active | None = None


class PasswordChange(msgspec.Struct, forbid_unknown_fields=True):
    """One's own new password, proven by the current one."""

    current_password: TypedPassword
    new_password: NewPassword
