"""Errors of records."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
from vivero_web.errors import ConflictError, FieldError, NotAllowedError, NotFoundError, PreconditionFailedError

TAKEN: Final = "is the value of another record, and must be unique"


class RecordNotFoundError(NotFoundError):
    """The collection has no such record."""

    def __init__(self) -> None:
        super().__init__("There is no such record in this collection.")


class BeyondRightsError(NotAllowedError):
    """What was to be written would be out of the actor's own sight."""

    def __init__(self) -> None:
        super().__init__("Your role sees some of the records only, and this would not be one of them.")


class VersionConflictError(ConflictError):
    """Somebody changed the record since it was read."""

    def __init__(self, current: int) -> None:
        super().__init__(f"The record was changed meanwhile; it is at version {current} now. Read it again.")
        self.current = current


class ChangedFieldError(FieldError, frozen=True):
    """A field that two people changed at once."""

    theirs: Annotated[Any, msgspec.Meta(description="What is stored now.")] = None
    yours: Annotated[Any, msgspec.Meta(description="What was to be stored.")] = None


def _named(conflicts: Sequence[ChangedFieldError]) -> str:
    names = ", ".join(one.field for one in conflicts)
    return f"Somebody else changed {names} meanwhile; nothing was stored. The record has their values."


class FieldConflictError(ConflictError):
    """Fields of the change were changed by others since the version that it is based on."""

    def __init__(self, conflicts: Sequence[ChangedFieldError]) -> None:
        super().__init__(_named(conflicts), errors=conflicts)


class FieldPreconditionError(PreconditionFailedError):
    """The same, of a change with If-Match."""

    def __init__(self, conflicts: Sequence[ChangedFieldError]) -> None:
        super().__init__(_named(conflicts), errors=conflicts)


class ValueTakenError(ConflictError):
    """A unique field has this value in another record."""

    def __init__(self, field: str) -> None:
        super().__init__(f"{field}: {TAKEN}", errors=[FieldError(field, TAKEN)])


class BatchConflictError(ConflictError):
    """Rows of a batch conflict with stored records; `errors` names them."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("Nothing was written: some of the rows contradict what is stored.", errors=errors)
