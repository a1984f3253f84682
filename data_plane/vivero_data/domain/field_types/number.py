"""A decimal number, exact."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from vivero_data.domain.field_types.kind import AmbiguousInput, FieldKind, InvalidValueError, Value
from vivero_data.lib.notation import UNSET, Notation, NotationError
from vivero_data.lib.numbers import plain_number, typed_number

DIGITS: Final = 24
DECIMALS: Final = 8
_WHOLE_DIGITS: Final = DIGITS - DECIMALS
_LARGEST: Final = Decimal(10) ** _WHOLE_DIGITS - Decimal(1).scaleb(-DECIMALS)


class Number(FieldKind):
    """Up to 16 integer digits and 8 decimals."""

    label = "Number"
    sql = f"DECIMAL({DIGITS},{DECIMALS})"

    def parse(self, value: Value, choices: Sequence[str]) -> Decimal:
        number = plain_number(value.strip()) if isinstance(value, str) else value
        if isinstance(number, bool) or not isinstance(number, int | Decimal):
            raise InvalidValueError("must be a number")
        number = Decimal(number)
        if number.is_nan():
            raise InvalidValueError("must be a number")
        # Compares digit counts: arithmetic on 1e1000000 overflows.
        if number.is_infinite() or (number and number.adjusted() >= _WHOLE_DIGITS):
            raise InvalidValueError(f"must be between -{_LARGEST:,} and {_LARGEST:,}")
        rounded = round(number, DECIMALS)
        if rounded != number:
            raise InvalidValueError(f"must have at most {DECIMALS} decimals")
        return rounded

    def present(self, stored: Value) -> Decimal:
        return plain(stored)

    def read(self, text: str, notation: Notation = UNSET) -> Decimal | AmbiguousInput:
        return read_number(text, notation)


def read_number(text: str, notation: Notation) -> Decimal | AmbiguousInput:
    """A number as people write it."""
    try:
        return typed_number(text, notation.numbers)
    except NotationError as error:
        return AmbiguousInput(str(error))


def plain(number: Decimal) -> Decimal:
    """The same number without trailing zeros and exponent: 12.50000000 is 12.5, 100 stays 100."""
    whole = number.to_integral_value()
    return whole if whole == number else number.normalize()
