"""A decimal number, exact."""

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Final

from vivero_data.domain.field_types.kind import AmbiguousInput, FieldKind, InvalidValueError, Value

_PLAIN: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_TYPED: Final = re.compile(
    r"(?P<sign>[+\-\u2212]?)"
    # 1234; groups with the same separator, 1.234.567 or 1'234; Indian groups, 12,34,567
    r"(?P<whole>\d*|\d{1,3}(?P<group>[.,\u066c'\u2019 \u00a0\u2009\u202f])(?:\d{3}(?P=group))*\d{3}|\d{1,2}(?:,\d{2})+,\d{3})"
    r"(?:(?P<mark>[.,\u066b])(?P<decimals>\d*))?"
)
# Either a fraction or a group of thousands; a number that begins with 0 has no groups.
_AMBIGUOUS: Final = re.compile(r"(?P<sign>[+\-\u2212]?)(?P<whole>(?!0)\d{1,3})[.,](?P<decimals>\d{3})")


class AmbiguousNumberError(ValueError):
    """Text that is not a number, or ambiguous; the message says what to write."""


def plain_number(text: str) -> Decimal | None:
    """Parses a number in program notation; None if it is not one."""
    if not _PLAIN.fullmatch(text):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent beyond Decimal's own
        return None


def typed_number(text: str) -> Decimal:
    """Parses a number in human notation: 1234.5, 1234,5, 1.234,50, 1,234.50, 1 234,5, 1'234.5.

    Raises:
        AmbiguousNumberError: it is not a number, or could be two.
    """
    text = text.strip()
    unsure = _AMBIGUOUS.fullmatch(text)
    if unsure:
        sign, whole, decimals = unsure.group("sign", "whole", "decimals")
        raise AmbiguousNumberError(
            f"may mean two numbers: write {sign}{whole}{decimals}, or {sign}{whole}.{decimals}0 for the fraction"
        )
    number = plain_number(text)
    if number is not None:
        return number
    found = _TYPED.fullmatch(text)
    if not found or not (found["whole"] or found["decimals"]) or (found["mark"] and found["mark"] in found["whole"]):
        raise AmbiguousNumberError("must be a number, such as 1234.50 or 1.234,50")
    digits = re.sub(r"\D", "", found["whole"]) or "0"
    sign = found["sign"].replace("\u2212", "-")
    return Decimal(f"{sign}{digits}.{found['decimals']}" if found["decimals"] else f"{sign}{digits}")


def written(number: Decimal | int, *, grouped: bool = False) -> str:
    """An unambiguous notation that `typed_number` reads back; groups are separated by a narrow space."""
    exact = Decimal(number)  # an int's own format would go through a float
    text = f"{exact:,f}".replace(",", "\u202f") if grouped else f"{exact:f}"
    return f"{text}0" if _AMBIGUOUS.fullmatch(text) else text


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

    def read(self, text: str) -> Decimal | AmbiguousInput:
        return read_number(text)


def read_number(text: str) -> Decimal | AmbiguousInput:
    """A number as people write it."""
    try:
        return typed_number(text)
    except AmbiguousNumberError as error:
        return AmbiguousInput(str(error))


def plain(number: Decimal) -> Decimal:
    """The same number without trailing zeros and exponent: 12.50000000 is 12.5, 100 stays 100."""
    whole = number.to_integral_value()
    return whole if whole == number else number.normalize()
