"""A value of each field type: checked and converted on its way in, and made presentable on its way out; pure."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from vivero_web.text import tidy

from vivero_data.domain.collections.columns import (
    EMAIL_LENGTH,
    LONG_TEXT_LENGTH,
    NUMBER_DECIMALS,
    NUMBER_DIGITS,
    TEXT_LENGTH,
    URL_LENGTH,
)
from vivero_data.domain.collections.schemas import Field, FieldType
from vivero_data.domain.records.numbers import plain_number

_EMAIL: Final = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]+\.[^@\s\x00-\x1f\x7f]+")
_BIGINT: Final = 2**63
_WHOLE_BOUND: Final = 19  # digits of it
_WHOLE_DIGITS: Final = NUMBER_DIGITS - NUMBER_DECIMALS
_LARGEST: Final = Decimal(10) ** _WHOLE_DIGITS - Decimal(1).scaleb(-NUMBER_DECIMALS)
_MOMENT: Final = "must be a moment with its offset, such as 2026-12-31T12:00:00Z"
_FIRST_YEAR: Final = 1000  # DATE's range in MariaDB begins there
# Nothing prints them, and they make one text look like another.
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class UnfitValueError(ValueError):
    """A value that its field cannot hold; the message says what it must be."""


class Unreadable(msgspec.Struct, frozen=True):
    """In place of a value that a person typed and nobody can be sure of: refused with what `problem` says."""

    problem: str


def parse(field: Field, value: Any) -> Any:  # noqa: ANN401  any JSON value comes in, a column's value goes out
    """The column's value for a JSON value that is not null.

    Raises:
        UnfitValueError: its message says what the value must be.
    """
    if isinstance(value, Unreadable):
        raise UnfitValueError(value.problem)
    return _PARSERS[field.type](field, value)


def present(field: Field, stored: Any) -> Any:  # noqa: ANN401  as above, the other way
    """A column's value as services and JSON have it."""
    if stored is None:
        return None
    if field.type is FieldType.BOOLEAN:
        return bool(stored)
    if field.type is FieldType.NUMBER:
        return plain(stored)
    if field.type is FieldType.DATETIME:
        return stored.replace(tzinfo=UTC)
    return stored


def default_of(field: Field) -> Any:  # noqa: ANN401  a field's value
    """The value that a new record gets, as services have it; it was checked when the field was defined."""
    return None if field.default is None else present(field, parse(field, field.default))


def plain(number: Decimal) -> Decimal:
    """The same number without trailing zeros and exponent: 12.50000000 is 12.5, 100 stays 100."""
    whole = number.to_integral_value()
    return whole if whole == number else number.normalize()


def _text(longest: int, *, lines: bool = False) -> Callable[[Field, Any], str]:
    def convert(_: Field, value: Any) -> str:  # noqa: ANN401  any JSON value
        if not isinstance(value, str):
            raise UnfitValueError("must be a text")
        if len(value) > longest:
            raise UnfitValueError(f"must have at most {longest:,} characters")
        if _CONTROL.search(value) or (not lines and ("\n" in value or "\r" in value)):
            raise UnfitValueError("must not have control characters" + ("" if lines else " or line breaks"))
        return value

    return convert


def _number(_: Field, value: Any) -> Decimal:  # noqa: ANN401  any JSON value
    number = plain_number(value.strip()) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int | Decimal):
        raise UnfitValueError("must be a number")
    number = Decimal(number)
    if number.is_nan():
        raise UnfitValueError("must be a number")
    # By its digits, not by arithmetic: that of 1e1000000 overflows.
    if number.is_infinite() or (number and number.adjusted() >= _WHOLE_DIGITS):
        raise UnfitValueError(f"must be between -{_LARGEST:,} and {_LARGEST:,}")
    rounded = round(number, NUMBER_DECIMALS)
    if rounded != number:
        raise UnfitValueError(f"must have at most {NUMBER_DECIMALS} decimals")
    return rounded


def _integer(_: Field, value: Any) -> int:  # noqa: ANN401  any JSON value
    number = plain_number(value.strip()) if isinstance(value, str) else value
    if isinstance(number, Decimal) and _is_whole(number):
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int) or not -_BIGINT <= number < _BIGINT:
        raise UnfitValueError(f"must be a whole number between {-_BIGINT:,} and {_BIGINT - 1:,}")
    return number


def _is_whole(number: Decimal) -> bool:
    """Whether it is whole and short enough to become an int at once."""
    return (
        number.is_finite() and (not number or number.adjusted() < _WHOLE_BOUND) and number == number.to_integral_value()
    )


def _boolean(_: Field, value: Any) -> bool:  # noqa: ANN401  any JSON value
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise UnfitValueError("must be true or false")


def _date(_: Field, value: Any) -> date:  # noqa: ANN401  any JSON value
    try:
        parsed = date.fromisoformat(value)
    except (TypeError, ValueError):
        raise UnfitValueError("must be a date such as 2026-12-31") from None
    if parsed.year < _FIRST_YEAR:
        raise UnfitValueError(f"must not be before the year {_FIRST_YEAR}")
    return parsed


def _datetime(_: Field, value: Any) -> datetime:  # noqa: ANN401  any JSON value
    try:
        parsed = datetime.fromisoformat(value)
        # Without an offset it would be this machine's.
        moment = parsed.astimezone(UTC) if parsed.tzinfo else None
    except (TypeError, ValueError, OverflowError):
        raise UnfitValueError(_MOMENT) from None
    if moment is None:
        raise UnfitValueError(_MOMENT)
    if moment.year < _FIRST_YEAR:
        raise UnfitValueError(f"must not be before the year {_FIRST_YEAR}")
    return moment.replace(tzinfo=None)


def _choice(field: Field, value: Any) -> str:  # noqa: ANN401  any JSON value
    choice = tidy(value) if isinstance(value, str) else value
    if choice not in field.choices:
        raise UnfitValueError(f"must be one of: {', '.join(field.choices)}")
    return str(choice)


def _email(field: Field, value: Any) -> str:  # noqa: ANN401  any JSON value
    text = _text(EMAIL_LENGTH)(field, value)
    if not _EMAIL.fullmatch(text):
        raise UnfitValueError("must be an e-mail address such as name@example.com")
    return text


def _url(field: Field, value: Any) -> str:  # noqa: ANN401  any JSON value
    text = _text(URL_LENGTH)(field, value)
    try:
        parts = urlsplit(text)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and not any(map(str.isspace, text))
    except ValueError:
        good = False
    if not good:
        raise UnfitValueError("must be a web address that begins with http:// or https://")
    return text


_PARSERS: Final[dict[FieldType, Callable[[Field, Any], Any]]] = {
    FieldType.TEXT: _text(TEXT_LENGTH),
    FieldType.LONG_TEXT: _text(LONG_TEXT_LENGTH, lines=True),
    FieldType.NUMBER: _number,
    FieldType.INTEGER: _integer,
    FieldType.BOOLEAN: _boolean,
    FieldType.DATE: _date,
    FieldType.DATETIME: _datetime,
    FieldType.CHOICE: _choice,
    FieldType.EMAIL: _email,
    FieldType.URL: _url,
}
