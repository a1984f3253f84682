"""What can stand in the way of a replay."""

from vivero_web.errors import ConflictError, NotFoundError


class DeadLetterNotFoundError(NotFoundError):
    """Never there, or removed since."""

    def __init__(self) -> None:
        super().__init__("There is no such job.")


class ErasedError(ConflictError):
    """Nobody knows any more what was to be done."""

    def __init__(self) -> None:
        super().__init__("What this job needs has been erased, so it cannot be replayed.")
