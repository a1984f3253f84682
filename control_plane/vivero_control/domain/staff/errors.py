"""Errors of logins, and of changes of the staff."""

from vivero_web.errors import ConflictError, FieldError, NotFoundError, NotSignedInError


class WrongLoginError(NotSignedInError):
    """E-mail or password is wrong; the same for an unknown address and a deactivated account."""

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


class MemberNotFoundError(NotFoundError):
    """There is no such member, or the invitation was withdrawn."""

    def __init__(self) -> None:
        super().__init__("There is nobody of that id among the staff.")


class OwnAccountError(ConflictError):
    """Admins cannot change their own account, so an admin always remains."""

    slug = "own-account"
    title = "This is your own account"

    def __init__(self) -> None:
        super().__init__("Nobody changes their own role or deactivates themselves. Ask another admin.")


class EmailTakenError(ConflictError):
    """Somebody of the staff has this address, invited and deactivated ones included."""

    slug = "email-taken"

    def __init__(self) -> None:
        message = "Somebody of the staff has this address already."
        super().__init__(message, errors=[FieldError("email", message)])


class AcceptedError(ConflictError):
    """The invitation was accepted: there is nothing to send again or to withdraw."""

    slug = "invitation-accepted"

    def __init__(self) -> None:
        super().__init__("The invitation was accepted: they have chosen a password.")


class DeactivatedError(ConflictError):
    """They are deactivated, so a link would open nothing."""

    slug = "deactivated"

    def __init__(self) -> None:
        super().__init__("They are deactivated. Reactivate them, which mails a new link.")
