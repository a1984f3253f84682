"""What can go wrong with logging in."""

from vivero_web.errors import NotSignedInError, TooManyRequestsError


class WrongCredentialsError(NotSignedInError):
    """Says the same for a wrong password, an unknown address and a deactivated account."""

    def __init__(self) -> None:
        super().__init__("The e-mail address or the password is wrong.")


class SessionEndedError(NotSignedInError):
    """The session was ended, expired, or its refresh token was used twice."""

    def __init__(self) -> None:
        super().__init__("The session has ended; log in again.")


class LoginBlockedError(TooManyRequestsError):
    """Too many wrong passwords for one address from one place."""

    def __init__(self, seconds: int) -> None:
        super().__init__("Too many wrong passwords.", seconds)
