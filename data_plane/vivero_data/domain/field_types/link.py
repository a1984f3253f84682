"""A link to something else in the workspace: a record of another collection, or a person."""

import re
from typing import Annotated, Any, ClassVar, Final

import msgspec

from vivero_data.domain.field_types.kind import (
    EQUALITY,
    AmbiguousInput,
    Definition,
    FieldKind,
    InvalidValueError,
    Value,
)
from vivero_data.lib.notation import UNSET, Notation

_LARGEST: Final = 2**63 - 1
_NUMBERED: Final = re.compile(r"(?:.*#)?([0-9]{1,19})", re.DOTALL)  # 17, #17, Acme GmbH #17


class Linked(msgspec.Struct, frozen=True):
    """What a link leads to, as it is read; to write one its `id` is enough.

    Attributes:
        title: what it is called; None if it was deleted.
    """

    id: Annotated[int, msgspec.Meta(description="The record's number.")]
    title: Annotated[str | None, msgspec.Meta(description="What it is called; null if it was deleted.")] = None

    def __str__(self) -> str:
        """As inputs show it, and read it again."""
        return f"{self.title} #{self.id}" if self.title else f"#{self.id}"


class _Reference(FieldKind):
    """Stored as the number of what it leads to."""

    sql = "BIGINT UNSIGNED"
    operators = EQUALITY
    refers = True
    noun: ClassVar[str]

    def example(self, definition: Definition) -> int:
        return 1

    def parse(self, value: Value, definition: Definition) -> int:
        number = _number(value)
        if isinstance(number, bool) or not isinstance(number, int) or not 0 < number <= _LARGEST:
            raise InvalidValueError(f"must be {self.noun}: its number, such as 17")
        return number

    def read(self, text: str, notation: Notation = UNSET) -> str | AmbiguousInput:
        found = _NUMBERED.fullmatch(text.strip())
        return (
            found[1] if found else AmbiguousInput(f"must be {self.noun}: choose one, or write its number such as #17")
        )

    def canonical(self, text: str) -> str:
        found = _NUMBERED.fullmatch(text.strip())
        return found[1] if found else text


class Link(_Reference):
    """A record of the collection that the definition names."""

    label = "Link to record"
    noun = "a record"
    takes = frozenset({"collection"})

    def problems(self, definition: Definition) -> dict[str, str]:
        return {} if definition.options.collection else {"collection": "must be the number of a collection"}


class Me(int):
    """Stands in a condition for whoever asks; whoever runs it puts their number there, and 0 is nobody's."""


ME: Final = Me(0)
_ME: Final = "me"


class Person(_Reference):
    """A user of the workspace. In a condition `me` is whoever asks."""

    label = "Person"
    noun = "a person of this workspace"
    board = True

    def parse(self, value: Value, definition: Definition) -> int:
        return ME if value == _ME else super().parse(value, definition)

    def read(self, text: str, notation: Notation = UNSET) -> str | AmbiguousInput:
        return _ME if text.strip().casefold() == _ME else super().read(text, notation)


def _number(value: Value) -> Any:  # noqa: ANN401  any JSON value
    if isinstance(value, dict):
        return value.get("id")
    if isinstance(value, str) and (found := _NUMBERED.fullmatch(value.strip())):
        return int(found[1])
    return value
