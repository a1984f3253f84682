"""Errors of users."""

from vivero_web.errors import ConflictError, FieldError


class EmailTakenError(ConflictError):
    """Another account has this e-mail address."""

    def __init__(self) -> None:
        message = "is the address of an account that exists"
        super().__init__(f"email: {message}", errors=[FieldError("email", message)])


class LastOwnerError(ConflictError):
    """A workspace keeps at least one active owner."""

    def __init__(self) -> None:
        super().__init__("This is the last active owner; make somebody else owner first.")
