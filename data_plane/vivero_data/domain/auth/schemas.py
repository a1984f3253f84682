"""What goes in and out of logging in; the answer is `lib.tokens.Tokens`."""

import msgspec


class Credentials(msgspec.Struct):
    """E-mail and password, as typed."""

    email: str
    password: str


class RefreshRequest(msgspec.Struct):
    """A refresh token to spend."""

    refresh_token: str


class LogoutRequest(msgspec.Struct):
    """The refresh token whose session ends; without one it is the access token's."""

    refresh_token: str | None = None
