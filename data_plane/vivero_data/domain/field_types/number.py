"""A decimal number, exact."""

from decimal import Decimal
from typing import Final

from vivero_data.domain.field_types.kind import AmbiguousInput, Definition, FieldKind, InvalidValueError, Value
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
    figures = True
    summable = True

    def example(self, definition: Definition) -> Value:
        return 1234.5

    def parse(self, value: Value, definition: Definition) -> Decimal:
        return checked_number(plain_number(value.strip()) if isinstance(value, str) else value, DECIMALS)

    def present(self, stored: Value, definition: Definition) -> Decimal:
        return plain(stored)

    def read(self, text: str, notation: Notation = UNSET) -> Decimal | AmbiguousInput:
        return read_number(text, notation)


def checked_number(number: Value, decimals: int) -> Decimal:
    """The number with as many decimals.

    Raises:
        InvalidValueError: it is none, beyond the column, or has more decimals.
    """
    if isinstance(number, bool) or not isinstance(number, int | Decimal):
        raise InvalidValueError("must be a number")
    exact = Decimal(number)
    if exact.is_nan():
        raise InvalidValueError("must be a number")
    # Compares digit counts: arithmetic on 1e1000000 overflows.
    if exact.is_infinite() or (exact and exact.adjusted() >= _WHOLE_DIGITS):
        raise InvalidValueError(f"must be between -{_LARGEST:,} and {_LARGEST:,}")
    rounded = round(exact, decimals)
    if rounded != exact:
        raise InvalidValueError(f"must have at most {decimals} decimals" if decimals else "must be a whole number")
    return rounded


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
