"""Logins of staff, for programs (tokens) and pages (a session)."""

from typing import Annotated, Literal

from msgspec import Meta, Struct
from vivero_web.fields import AccessToken, RefreshToken, TypedEmail, TypedPassword


class Login(Struct, frozen=True, kw_only=True):
    """E-mail and password."""

    email: TypedEmail
    password: TypedPassword

    def __repr__(self) -> str:
        """Without the password: a repr ends in logs."""
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


class StaffView(Struct, frozen=True, kw_only=True):
    """Who is logged in; `stamp` binds the login to the password that it was made with."""

    id: str
    email: str
    role: Literal["admin", "support"]
    stamp: str = ""
