"""Errors of records."""

from collections.abc import Sequence
from typing import Final

from vivero_web.errors import ConflictError, FieldError, NotFoundError

TAKEN: Final = "is the value of another record, and must be unique"


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
        super().__init__(f"{field}: {TAKEN}", errors=[FieldError(field, TAKEN)])


class BatchConflictError(ConflictError):
    """Rows of a batch conflict with stored records; `errors` names them."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("Nothing was written: some of the rows contradict what is stored.", errors=errors)
