"""Users as the API and the pages see them."""

from datetime import datetime
from enum import StrEnum

import msgspec


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


class Invitation(msgspec.Struct, frozen=True):
    """A link that was mailed to somebody who has not chosen a password yet.

    Attributes:
        expires_at: until when it is good.
        sent_at: when the mail server took it; none as long as it has not.
    """

    expires_at: datetime
    sent_at: datetime | None = None


class User(msgspec.Struct):
    """One account; never carries the password's hash.

    Attributes:
        invitation: while the user has no password.
    """

    id: int
    email: str
    name: str
    role: Role
    active: bool
    created_at: datetime
    last_login_at: datetime | None = None
    invitation: Invitation | None = None


class Me(msgspec.Struct):
    """The caller and the workspace they are in."""

    id: int
    email: str
    name: str
    role: Role
    workspace: str
    plan: str


class NewUser(msgspec.Struct, forbid_unknown_fields=True):
    """An account to create; the password is given to its person out of band."""

    email: str
    password: str
    name: str = ""
    role: Role = Role.MEMBER


class UserChanges(msgspec.Struct, forbid_unknown_fields=True):
    """What to change; what is absent stays."""

    name: str | None = None
    role: Role | None = None
    active: bool | None = None


class PasswordChange(msgspec.Struct, forbid_unknown_fields=True):
    """One's own new password, proven by the current one."""

    current_password: str
    new_password: str
