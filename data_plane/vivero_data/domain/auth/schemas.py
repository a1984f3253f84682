"""What goes in and out of logging in."""

import msgspec


class Credentials(msgspec.Struct):
    """E-mail and password, as typed."""

    email: str
    password: str


class RefreshRequest(msgspec.Struct):
    """A refresh token to spend, or with logout the one to revoke."""

    refresh_token: str


class Tokens(msgspec.Struct, frozen=True):
    """A signed access token and the refresh token that follows it."""

    access_token: str
    refresh_token: str
    token_type: str = "Bearer"  # noqa: S105  the scheme's name, not a secret
    expires_in: int = 900
