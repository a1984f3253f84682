"""What the workspace calculates from other fields of the record; the result of the formula says how it is kept."""

from collections.abc import Mapping
from typing import ClassVar, Final

from vivero_data.domain.field_types.boolean import Boolean
from vivero_data.domain.field_types.date import Date
from vivero_data.domain.field_types.kind import Definition, FieldKind, Value
from vivero_data.domain.field_types.moment import Moment
from vivero_data.domain.field_types.number import Number
from vivero_data.domain.field_types.options import Result
from vivero_data.domain.field_types.text import Line, checked_text

LONGEST: Final = 500
"""Characters of a text that a formula gives."""


class Formula(FieldKind):
    """As a type that can be chosen; a field of it has the kind of its result."""

    label = "Formula"
    unique = False
    computed = True
    takes = frozenset({"formula", "fields", "result"})

    def of(self, definition: Definition) -> FieldKind:
        return _KINDS[definition.options.result or Result.NUMBER]


class _Number(Formula, Number):
    """As precise as a number that people write."""


class _Text(Formula, Line):
    """May have several lines, if a field that it names has."""

    characters: ClassVar[int] = LONGEST
    exact = None

    def parse(self, value: Value, definition: Definition) -> str:
        return checked_text(value, LONGEST, lines=True)


class _Boolean(Formula, Boolean):
    two_valued = True


class _Date(Formula, Date):
    """A calendar date."""


class _Moment(Formula, Moment):
    """In UTC."""


_KINDS: Final[Mapping[Result, FieldKind]] = {
    Result.NUMBER: _Number(),
    Result.TEXT: _Text(),
    Result.BOOLEAN: _Boolean(),
    Result.DATE: _Date(),
    Result.DATETIME: _Moment(),
}
