"""What a cell of a file means; pure."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from vivero_data.domain.field_types.kind import InvalidValueError
from vivero_data.domain.field_types.number import DECIMALS
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.lib.notation import Notation

PAIRS: Final = (
    ("true", "false"),
    ("yes", "no"),
    ("y", "n"),
    ("ja", "nein"),
    ("j", "n"),
    ("wahr", "falsch"),
    ("on", "off"),
    ("x", ""),
    ("✓", "✗"),
    ("1", "0"),
)
"""Words of yes and no, in English and German; a column is written in one of them."""
WORDS: Final[Mapping[str, bool]] = {
    **{no: False for _, no in PAIRS if no},
    **{yes: True for yes, _ in PAIRS},
}
NUMERIC: Final = frozenset({FieldType.NUMBER, FieldType.INTEGER, FieldType.MONEY})
TEMPORAL: Final = frozenset({FieldType.DATE, FieldType.DATETIME})
CURRENCIES: Final[Mapping[str, str]] = {"EUR": "€", "USD": r"\$", "GBP": "£", "JPY": "¥", "CHF": "CHF"}
"""Patterns of the signs of those that are recognized."""
CURRENCY: Final = r"(?:€|\$|£|¥|EUR|USD|GBP|CHF)"
SPACE: Final = r"[ \u00a0\u2009\u202f]"

Reader = Callable[[str], Any]
"""From a cell that is not blank to a field's value, for `parse`."""

_CURRENCY: Final = re.compile(rf"^([+\-\u2212]?){CURRENCY}{SPACE}?|{SPACE}?{CURRENCY}$")
_YEAR_FIRST: Final = re.compile(r"^(\d{4})([/.])(\d{1,2})\2(\d{1,2})(?!\d)")
_YEAR_LAST: Final = re.compile(r"^(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?!\d)")
_ISO: Final = re.compile(r"^(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")
_SHORT_YEAR: Final = 2  # digits
_CENTURY: Final = 30  # two digits of a year below it are 2000 and later, as spreadsheets take them


def reader(kind: FieldType, notation: Notation) -> Reader:
    """How to read a column, which is in a notation, into a field of this type."""
    read = kind.kind.read
    if kind in {FieldType.NUMBER, FieldType.INTEGER}:
        return lambda text: rounded(read(without_currency(text.strip()), notation))
    if kind in TEMPORAL:
        return lambda text: read(usual_date(text.strip()), notation)
    if kind is FieldType.BOOLEAN:
        return yes_or_no
    return lambda text: read(text, notation)


def without_currency(text: str) -> str:
    """A number without the currency around it."""
    bare = text[:1].isdecimal() and text[-1:].isdecimal()  # as most are, and a pattern costs more than this
    return text if bare else _CURRENCY.sub(r"\1", text)


def rounded(value: Any) -> Any:  # noqa: ANN401  a number, or what is none
    """A number without the decimals that no field keeps: spreadsheets write those of their binary fractions."""
    if not isinstance(value, Decimal) or not value.is_finite():
        return value
    exponent = value.as_tuple().exponent
    return round(value, DECIMALS) if isinstance(exponent, int) and exponent < -DECIMALS else value


def usual_date(text: str) -> str:
    """A date at the beginning of a text in the spelling that fields read: four digits of a year, and no dashes but of ISO 8601."""
    if found := _YEAR_LAST.match(text):
        one, mark, two, year = found.groups()
        mark = "/" if mark == "-" else mark
        return f"{one}{mark}{two}{mark}{_year(year)}{text[found.end() :]}"
    if found := _ISO.match(text):
        year, month, day = found.groups()
    elif found := _YEAR_FIRST.match(text):
        year, _, month, day = found.groups()
    else:
        return text
    return f"{year}-{month:0>2}-{day:0>2}{text[found.end() :]}"


def _year(text: str) -> str:
    if len(text) > _SHORT_YEAR:
        return text
    return f"20{text}" if int(text) < _CENTURY else f"19{text}"


def yes_or_no(text: str) -> bool:
    """Raises InvalidValueError for other words."""
    value = WORDS.get(text.strip().casefold())
    if value is None:
        raise InvalidValueError("must be yes or no")
    return value
