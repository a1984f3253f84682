"""Inputs and errors of logins; the response is `lib.tokens.Tokens`."""

import msgspec
from vivero_web.errors import NotSignedInError
from vivero_web.fields import RefreshToken, TypedEmail, TypedPassword
from vivero_web.second_factors import Code


class WrongCredentialsError(NotSignedInError):
    """The e-mail address or the password is wrong; it says the same of an unknown address and a deactivated account."""

    def __init__(self) -> None:
        super().__init__("The e-mail address or the password is wrong.")


class SessionEndedError(NotSignedInError):
    """The session was ended, expired, or its refresh token was used twice."""

    def __init__(self) -> None:
        super().__init__("The session has ended; log in again.")


class Credentials(msgspec.Struct):
    """E-mail and password, as typed, and a code where two-step login is active."""

    email: TypedEmail
    password: TypedPassword
    code: Code | None = None


class RefreshRequest(msgspec.Struct):
    """A refresh token to spend."""

    refresh_token: RefreshToken


class LogoutRequest(msgspec.Struct):
    """The refresh token whose session ends; without one it is the access token's."""

    refresh_token: RefreshToken | None = None
