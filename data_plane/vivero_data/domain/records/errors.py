"""What can go wrong with records."""

from vivero_web.errors import ConflictError, FieldError, NotFoundError


class RecordNotFoundError(NotFoundError):
    """The collection has no such record."""

    def __init__(self) -> None:
        super().__init__("There is no such record in this collection.")


class VersionConflictError(ConflictError):
    """Somebody changed the record since it was read."""

    def __init__(self, current: int) -> None:
        super().__init__(f"The record was changed meanwhile; it is at version {current} now. Read it again.")
        self.current = current


class ValueTakenError(ConflictError):
    """A unique field has this value in another record."""

    def __init__(self, field: str) -> None:
        message = "is the value of another record, and must be unique"
        super().__init__(f"{field}: {message}", errors=[FieldError(field, message)])
