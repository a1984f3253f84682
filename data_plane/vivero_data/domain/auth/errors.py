"""What can go wrong with logging in."""

from vivero_web.errors import NotSignedInError


class WrongCredentialsError(NotSignedInError):
    """The e-mail address or the password is wrong; it says the same of an unknown address and a deactivated account."""

    def __init__(self) -> None:
        super().__init__("The e-mail address or the password is wrong.")


class SessionEndedError(NotSignedInError):
    """The session was ended, expired, or its refresh token was used twice."""

    def __init__(self) -> None:
        super().__init__("The session has ended; log in again.")
