"""Values that a form of ours brings along as its page has shown them: a second, an amount in cents. Pure."""

from datetime import UTC, datetime
from typing import Final

from vivero_web.errors import InvalidInputError

_MISSING: Final = "Look at it once more: a part of the form is missing."
_DIGITS: Final = 12
"""Of a second, and of an amount in cents."""


def second(typed: str) -> datetime | None:
    """Of seconds since 1970; None of what is none."""
    found = _whole(typed)
    try:
        return datetime.fromtimestamp(found, UTC) if found is not None else None
    except (ValueError, OverflowError):
        return None


def moment(typed: str, name: str) -> datetime:
    """The same of the field `name`. Raises InvalidInputError."""
    if (found := second(typed)) is None:
        raise InvalidInputError.of(name, _MISSING)
    return found


def number(typed: str, name: str) -> int:
    """A whole number of the field `name`. Raises InvalidInputError."""
    if (found := _whole(typed)) is None:
        raise InvalidInputError.of(name, _MISSING)
    return found


def _whole(typed: str) -> int | None:
    digits = typed.removeprefix("-")
    return int(typed) if digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS else None
