"""The interface of a field type; code that handles fields uses it and never tests for a type's name."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, ClassVar, Final, Protocol

import msgspec

from vivero_data.domain.field_types.options import Options
from vivero_data.lib.notation import UNSET, Notation

Value = Any
"""A field's value as JSON, as services use it, or as the database driver returns it; each method says which."""


class Operator(StrEnum):
    """The comparison operator of a filter's condition."""

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
    ANY = "any"
    ALL = "all"


EQUALITY: Final = (Operator.EQ, Operator.NE, Operator.IN, Operator.EMPTY, Operator.FILLED)
ORDER: Final = (Operator.LT, Operator.LTE, Operator.GT, Operator.GTE)
SEARCH: Final = (Operator.CONTAINS, Operator.STARTS)


class InvalidValueError(ValueError):
    """A value that is not valid for its field; the message says what is expected."""


class AmbiguousInput(msgspec.Struct, frozen=True):
    """Stands for typed input with no meaning, or more than one; rejected with the message in `problem`."""

    problem: str


class Definition(Protocol):
    """What a field's definition says, as its type asks for it."""

    @property
    def choices(self) -> Sequence[str]: ...

    @property
    def options(self) -> Options: ...


class FieldKind:
    """A field type, with defaults that most types share; each type overrides what differs.

    Attributes:
        label: its name on pages.
        characters: column length, where it counts towards MariaDB's row size; other types take 16 bytes at most.
        operators: the filter operators that it supports.
        leads: whether a table's search box may search it: a short text that people write.
        sortable: whether it can be sorted by and fully indexed.
        unique: whether `unique` is possible.
        exact: whether `unique` compares every character unless the definition says otherwise; None: it always does.
        has_choices: whether its definition lists the values.
        virtual: whether its values are computed when a record is read; its column stays empty.
        refers: whether a value is the number of something else in the workspace, which has to exist.
        several: whether a form gives each of the choices a box.
        two_valued: whether a required field is shown as a checkbox.
        computed: whether the workspace writes its values, and nobody types them.
        uploaded: whether its values are files, which are uploaded into a record that is there, and not typed.
        figures: whether a table aligns it to the right.
        takes: the options that its definition may have.
        summable: whether reports add its values up.
        dated: whether reports group its values by day, week, month, quarter or year.
        zoned: whether the day of a value depends on a time zone.
        board: whether its values can be the columns of a board.
        operator_labels: labels of operators on pages, where they differ from those of numbers and texts.
    """

    label: ClassVar[str]
    characters: ClassVar[int | None] = None
    operators: ClassVar[tuple[Operator, ...]] = (*EQUALITY, *ORDER)
    leads: ClassVar[bool] = False
    sortable: ClassVar[bool] = True
    unique: ClassVar[bool] = True
    exact: ClassVar[bool | None] = None
    has_choices: ClassVar[bool] = False
    virtual: ClassVar[bool] = False
    refers: ClassVar[bool] = False
    several: ClassVar[bool] = False
    two_valued: ClassVar[bool] = False
    computed: ClassVar[bool] = False
    uploaded: ClassVar[bool] = False
    figures: ClassVar[bool] = False
    takes: ClassVar[frozenset[str]] = frozenset()
    summable: ClassVar[bool] = False
    dated: ClassVar[bool] = False
    zoned: ClassVar[bool] = False
    board: ClassVar[bool] = False
    operator_labels: ClassVar[Mapping[str, str]] = {}

    def of(self, definition: Definition) -> "FieldKind":
        """The kind of a field that is defined so; another one where a type has several."""
        return self

    @property
    def sql(self) -> str:
        """The type of its column."""
        raise NotImplementedError

    def problems(self, definition: Definition) -> dict[str, str]:
        """What is wrong with the options of a field's definition, by their names."""
        return {}

    def example(self, definition: Definition) -> Value:
        """A value as JSON, to show what the API takes; None where the workspace writes the values."""
        return None

    def parse(self, value: Value, definition: Definition) -> Value:
        """The column's value for a JSON value that is not null.

        Raises:
            InvalidValueError: its message says what is expected.
        """
        raise NotImplementedError

    def present(self, stored: Value, definition: Definition) -> Value:
        """A column's value, which is not null, as services and JSON have it."""
        return stored

    def listed(self, definition: Definition) -> Sequence[Value]:
        """Every value that a record can have, in order, as services have it; nothing where they are not few."""
        return ()

    def from_cursor(self, text: str) -> str:
        """A column's value from a cursor, in the form that `parse` accepts."""
        return text

    def text_sql(self, column: str) -> str:
        """The SQL expression that a search for text looks into; `column` is the quoted name."""
        return column

    def exact_sql(self, column: str) -> str:
        """The SQL expression that an exact `unique` compares; `column` is the quoted name."""
        return column

    def read(self, text: str, notation: Notation = UNSET) -> Value:
        """Non-blank typed text converted for `parse`; `AmbiguousInput` if it has no sure meaning in the notation."""
        return text.strip()

    def typed(self, text: str, notation: Notation = UNSET, *, required: bool) -> Value:
        """A form input's text converted for `parse`; None if empty."""
        return self.read(text, notation) if text.strip() else None

    def read_condition(self, text: str, notation: Notation = UNSET) -> Value:
        """A filter's typed value converted for `parse`, in the spelling of tables; None if empty."""
        return self.typed(text, notation, required=False)

    def canonical(self, text: str) -> str:
        """A form input's text, normalized across browsers."""
        return text
