"""Staff: their logins, for programs (tokens) and pages (a session), and who they are."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

Role = Literal["admin", "support"]
"""An admin decides who is of the staff; all else both may do."""


class Login(Struct, frozen=True, kw_only=True):
    """E-mail and password."""

    email: Annotated[str, Meta(max_length=254)]
    password: Annotated[str, Meta(max_length=1024)]

    def __repr__(self) -> str:
        """Without the password: a repr ends in logs."""
        return "Login(…)"


class Refresh(Struct, frozen=True, kw_only=True):
    """Exchange a refresh token; each works once."""

    refresh_token: Annotated[str, Meta(max_length=512)]

    def __repr__(self) -> str:
        """Without the token: a repr ends in logs."""
        return "Refresh(…)"


class Tokens(Struct, frozen=True, kw_only=True):
    """A login for programs."""

    access_token: Annotated[str, Meta(description="Send it as `Authorization: Bearer …`.")]
    refresh_token: Annotated[str, Meta(description="Works once; using it twice ends the login everywhere.")]
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  the scheme's name
    expires_in: Annotated[int, Meta(description="Seconds until the access token ends.")] = 900

    def __repr__(self) -> str:
        """Without the tokens: a repr ends in logs."""
        return "Tokens(…)"


class StaffView(Struct, frozen=True, kw_only=True):
    """Who is logged in; `stamp` binds the login to the password that it was made with."""

    id: str
    email: str
    role: Role
    stamp: str = ""


class InvitationState(StrEnum):
    """How far an invitation is: `unsent` was given up, `expired` was sent and not accepted in time."""

    SENDING = "sending"
    SENT = "sent"
    UNSENT = "unsent"
    EXPIRED = "expired"


class Invitation(Struct, frozen=True, kw_only=True):
    """Of somebody who has no password yet; `expires_at` is the newest link's end, null while there is no link."""

    state: InvitationState
    expires_at: datetime | None


class Member(Struct, frozen=True, kw_only=True):
    """Somebody of the staff; `invitation` while they are active and have no password."""

    id: UUID
    email: str
    role: Role
    active: bool
    created_at: datetime
    invitation: Invitation | None


class NewMember(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to invite."""

    email: Annotated[str, Meta(max_length=254)]
    role: Role


class MemberChanges(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be different; what is left out stays.

    Deactivated: every login ends at once and the password is gone. Activated: a link to choose a new one is mailed.
    """

    role: Role | None = None
    active: bool | None = None
