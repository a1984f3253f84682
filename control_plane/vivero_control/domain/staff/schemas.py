"""Staff: their logins, for programs (tokens) and pages (a session), and who they are."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct
from vivero_web.fields import AccessToken, Email, RefreshToken, TypedEmail, TypedPassword
from vivero_web.second_factors import Code

Role = Literal["admin", "support"]
StaffRole = Annotated[Role, Meta(description="An `admin` manages staff members; both roles may do everything else.")]


class Login(Struct, frozen=True, kw_only=True):
    """E-mail and password, and a code where two-step login is active."""

    email: TypedEmail
    password: TypedPassword
    code: Code | None = None

    def __repr__(self) -> str:
        """Without them: a repr ends in logs."""
        return "Login(…)"


class Refresh(Struct, frozen=True, kw_only=True):
    """Exchange a refresh token; each works once."""

    refresh_token: RefreshToken

    def __repr__(self) -> str:
        """Without the token: a repr ends in logs."""
        return "Refresh(…)"


class Tokens(Struct, frozen=True, kw_only=True):
    """A login for programs."""

    access_token: AccessToken
    refresh_token: Annotated[str, Meta(description="Works once; using it twice ends the login everywhere.")]
    token_type: Annotated[Literal["Bearer"], Meta(description="Always `Bearer`.")] = "Bearer"  # noqa: S105  the scheme's name
    expires_in: Annotated[int, Meta(description="Seconds until the access token ends.")] = 900

    def __repr__(self) -> str:
        """Without the tokens: a repr ends in logs."""
        return "Tokens(…)"


class Scope(StrEnum):
    """What an API key of staff may be made for, beside what its owner's role allows."""

    READ = "read"
    MANAGE_TENANTS = "manage_tenants"
    MANAGE_LEADS = "manage_leads"
    PUBLISH_STATUS = "publish_status"
    BACK_UP = "back_up"
    SELL = "sell"


class StaffView(Struct, frozen=True, kw_only=True):
    """Who is logged in.

    Attributes:
        stamp: binds the login to the password and the second factor that it was made with.
        lacks_second_factor: whether two-step login is required, and this person has not set it up.
        api_key: beginning of the API key that a program acts with; empty of a person.
        scopes: what that key may do; None of a person.
    """

    id: str
    email: str
    role: Role
    stamp: str = ""
    lacks_second_factor: bool = False
    api_key: str = ""
    scopes: frozenset[Scope] | None = None


class InvitationState(StrEnum):
    """How far an invitation is: `unsent` was given up, `expired` was sent and not accepted in time."""

    SENDING = "sending"
    SENT = "sent"
    UNSENT = "unsent"
    EXPIRED = "expired"


class Invitation(Struct, frozen=True, kw_only=True):
    """Of somebody who has no password yet."""

    state: InvitationState
    expires_at: Annotated[datetime | None, Meta(description="The newest link's end; null while there is no link.")]


class Member(Struct, frozen=True, kw_only=True):
    """Somebody of the staff."""

    id: Annotated[UUID, Meta(description="Of the account; it never changes.")]
    email: Annotated[str, Meta(description="The account's e-mail address, in lower case.")]
    role: StaffRole
    active: Annotated[bool, Meta(description="Whether they may log in, once they have a password.")]
    created_at: Annotated[datetime, Meta(description="When they were added.")]
    invitation: Annotated[Invitation | None, Meta(description="While they are active and have no password.")]
    second_factor: Annotated[bool, Meta(description="Whether their logins need a code of an authenticator app.")] = (
        False
    )


class NewMember(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to invite."""

    email: Email
    role: StaffRole


class MemberChanges(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be different; what is left out stays."""

    role: StaffRole | None = None
    active: Annotated[
        bool | None,
        Meta(
            description="False ends every login at once and takes the password away; true, where it was false, mails a "
            "link to choose a new one."
        ),
    ] = None
