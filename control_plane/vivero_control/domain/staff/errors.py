"""What can be wrong with a login."""

from vivero_web.errors import NotSignedInError


class WrongLoginError(NotSignedInError):
    """E-mail or password is wrong; it says the same of an unknown address and a closed account."""

    def __init__(self) -> None:
        super().__init__("E-mail or password is wrong.")


class InvalidTokenError(NotSignedInError):
    """Unknown, expired, used before, or its owner may no longer log in."""

    def __init__(self) -> None:
        super().__init__("The token is not valid any more. Log in again.")


class NoSessionError(NotSignedInError):
    """A page that staff log in for, without a session."""

    def __init__(self) -> None:
        super().__init__("Log in first.")
