"""A decimal number, exact."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from vivero_data.domain.field_types.kind import FieldKind, UnfitValueError, Unreadable, Value
from vivero_data.domain.field_types.numbers import UnsureNumberError, plain_number, typed_number

DIGITS: Final = 24
DECIMALS: Final = 8
_WHOLE_DIGITS: Final = DIGITS - DECIMALS
_LARGEST: Final = Decimal(10) ** _WHOLE_DIGITS - Decimal(1).scaleb(-DECIMALS)


class Number(FieldKind):
    """Of 16 digits before the point and 8 behind it."""

    words = "Number"
    sql = f"DECIMAL({DIGITS},{DECIMALS})"

    def parse(self, value: Value, choices: Sequence[str]) -> Decimal:
        number = plain_number(value.strip()) if isinstance(value, str) else value
        if isinstance(number, bool) or not isinstance(number, int | Decimal):
            raise UnfitValueError("must be a number")
        number = Decimal(number)
        if number.is_nan():
            raise UnfitValueError("must be a number")
        # By its digits, not by arithmetic: that of 1e1000000 overflows.
        if number.is_infinite() or (number and number.adjusted() >= _WHOLE_DIGITS):
            raise UnfitValueError(f"must be between -{_LARGEST:,} and {_LARGEST:,}")
        rounded = round(number, DECIMALS)
        if rounded != number:
            raise UnfitValueError(f"must have at most {DECIMALS} decimals")
        return rounded

    def present(self, stored: Value) -> Decimal:
        return plain(stored)

    def read(self, text: str) -> Decimal | Unreadable:
        return read_number(text)


def read_number(text: str) -> Decimal | Unreadable:
    """A number as people write it."""
    try:
        return typed_number(text)
    except UnsureNumberError as error:
        return Unreadable(str(error))


def plain(number: Decimal) -> Decimal:
    """The same number without trailing zeros and exponent: 12.50000000 is 12.5, 100 stays 100."""
    whole = number.to_integral_value()
    return whole if whole == number else number.normalize()
