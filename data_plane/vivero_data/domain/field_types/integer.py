"""A whole number."""

from decimal import Decimal
from typing import Final

from vivero_data.domain.field_types.kind import AmbiguousInput, Definition, FieldKind, InvalidValueError, Value
from vivero_data.domain.field_types.number import read_number
from vivero_data.lib.notation import UNSET, Notation
from vivero_data.lib.numbers import plain_number

_BIGINT: Final = 2**63
_DIGITS: Final = 19  # of it


class Integer(FieldKind):
    """Signed, 64 bits."""

    label = "Whole number"
    sql = "BIGINT"
    figures = True
    summable = True

    def example(self, definition: Definition) -> int:
        return 12

    def parse(self, value: Value, definition: Definition) -> int:
        number = plain_number(value.strip()) if isinstance(value, str) else value
        if isinstance(number, Decimal) and _is_whole(number):
            number = int(number)
        if isinstance(number, bool) or not isinstance(number, int) or not -_BIGINT <= number < _BIGINT:
            raise InvalidValueError(f"must be a whole number between {-_BIGINT:,} and {_BIGINT - 1:,}")
        return number

    def read(self, text: str, notation: Notation = UNSET) -> Decimal | AmbiguousInput:
        return read_number(text, notation)


def _is_whole(number: Decimal) -> bool:
    """Whether it is integral and small enough to convert to int cheaply."""
    return number.is_finite() and (not number or number.adjusted() < _DIGITS) and number == number.to_integral_value()
