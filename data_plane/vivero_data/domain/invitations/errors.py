"""What can go wrong with invitations."""

from vivero_web.errors import ConflictError


class AcceptedError(ConflictError):
    """There is nothing to send again or to withdraw."""

    def __init__(self) -> None:
        super().__init__("This user has a password already.")


class DeactivatedError(ConflictError):
    """A link would open nothing."""

    def __init__(self) -> None:
        super().__init__("This user is deactivated; reactivate them first.")
