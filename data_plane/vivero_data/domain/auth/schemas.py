"""What goes in and out of logging in; the answer is `lib.tokens.Tokens`."""

import msgspec
from vivero_web.fields import RefreshToken, TypedEmail, TypedPassword


class Credentials(msgspec.Struct):
    """E-mail and password, as typed."""

    email: TypedEmail
    password: TypedPassword


class RefreshRequest(msgspec.Struct):
    """A refresh token to spend."""

    refresh_token: RefreshToken


class LogoutRequest(msgspec.Struct):
    """The refresh token whose session ends; without one it is the access token's."""

    refresh_token: RefreshToken | None = None
