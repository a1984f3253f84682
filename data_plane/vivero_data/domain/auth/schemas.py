"""What goes in and out of logging in; the answer is `lib.tokens.Tokens`."""

import msgspec


class Credentials(msgspec.Struct):
    """E-mail and password, as typed."""

    email: str
    password: str


class RefreshRequest(msgspec.Struct):
    """A refresh token to spend, or with logout the one to revoke."""

    refresh_token: str
