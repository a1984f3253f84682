"""What a field type says about itself; whoever handles fields asks this, and knows no type by name."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, ClassVar, Final

import msgspec

Value = Any
"""A field's value: of a program's JSON, of the services, or of the database's driver, as the method says."""


class Operator(StrEnum):
    """How a condition of a filter looks at a field's value."""

    EQ = "eq"
    NE = "ne"
    IN = "in"
    EMPTY = "empty"
    FILLED = "filled"
    LT = "lt"
    LTE = "lte"
    GT = "gt"
    GTE = "gte"
    CONTAINS = "contains"
    STARTS = "starts"


EQUALITY: Final = (Operator.EQ, Operator.NE, Operator.IN, Operator.EMPTY, Operator.FILLED)
ORDER: Final = (Operator.LT, Operator.LTE, Operator.GT, Operator.GTE)
SEARCH: Final = (Operator.CONTAINS, Operator.STARTS)


class InvalidValueError(ValueError):
    """A value that its field cannot hold; the message says what it must be."""


class AmbiguousInput(msgspec.Struct, frozen=True):
    """In place of a value that a person typed and nobody can be sure of: refused with what `problem` says."""

    problem: str


class FieldKind:
    """A field type. What most types share stands here; each type overrides what is different about it.

    Attributes:
        words: its name on pages.
        characters: that its column holds, where they count in the bound of MariaDB's row; others take 16 bytes at most.
        operators: of the conditions that filters can set on it.
        leads: whether a table's search box may look into it: a short text that people write.
        sortable: whether its values can be sorted by and indexed whole.
        unique: whether `unique` is possible.
        exact: whether `unique` compares every character unless the definition says otherwise; None: it always does.
        has_choices: whether its definition lists the values.
        two_valued: whether a required one is a box to tick.
        order_words: the words of a comparison on pages, where they are not those of numbers.
    """

    label: ClassVar[str]
    characters: ClassVar[int | None] = None
    operators: ClassVar[tuple[Operator, ...]] = (*EQUALITY, *ORDER)
    leads: ClassVar[bool] = False
    sortable: ClassVar[bool] = True
    unique: ClassVar[bool] = True
    exact: ClassVar[bool | None] = None
    has_choices: ClassVar[bool] = False
    two_valued: ClassVar[bool] = False
    order_labels: ClassVar[Mapping[str, str]] = {}

    @property
    def sql(self) -> str:
        """The type of its column."""
        raise NotImplementedError

    def parse(self, value: Value, choices: Sequence[str]) -> Value:
        """The column's value for a JSON value that is not null; `choices` are those of the field's definition.

        Raises:
            UnfitValueError: its message says what the value must be.
        """
        raise NotImplementedError

    def present(self, stored: Value) -> Value:
        """A column's value, which is not null, as services and JSON have it."""
        return stored

    def from_cursor(self, text: str) -> str:
        """A column's value, which a cursor holds as the database wrote it, as a program would write it."""
        return text

    def exact_sql(self, column: str) -> str:
        """What an exact `unique` compares, computed from the quoted name of the column."""
        return column

    def read(self, text: str) -> Value:
        """What a person typed, and is not blank, as `parse` takes it; `AmbiguousInput` if it may mean two things."""
        return text.strip()

    def typed(self, text: str, *, required: bool) -> Value:
        """What an input of a form holds, as `parse` takes it; None for nothing."""
        return self.read(text) if text.strip() else None

    def read_condition(self, text: str) -> Value:
        """What a person typed as a filter's value, as `parse` takes it, in the words of a table; None for nothing."""
        return self.typed(text, required=False)

    def canonical(self, text: str) -> str:
        """What an input holds, the same for every spelling that browsers make of it."""
        return text
