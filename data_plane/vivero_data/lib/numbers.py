"""Numbers as programs and as people write them, and back; pure, exact, never through a float."""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

from vivero_data.lib.notation import NotationError, Numbers

_PLAIN: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_SPACES: Final = " \u00a0\u2009\u202f"
_APOSTROPHES: Final = "'\u2019"
_NEUTRAL: Final = f"{_SPACES}{_APOSTROPHES}"  # between groups of digits alone, in every notation
_ANY: Final = re.compile(
    r"(?P<sign>[+\-\u2212]?)"
    # 1234; groups with the same separator, 1.234.567 or 1'234; Indian groups, 12,34,567
    rf"(?P<whole>\d*|\d{{1,3}}(?P<group>[.,\u066c{_NEUTRAL}])(?:\d{{3}}(?P=group))*\d{{3}}|\d{{1,2}}(?:,\d{{2}})+,\d{{3}})"
    r"(?:(?P<mark>[.,\u066b])(?P<decimals>\d*))?"
)
# Either a fraction or a group of thousands; a number that begins with 0 has no groups.
_AMBIGUOUS: Final = re.compile(r"(?P<sign>[+\-\u2212]?)(?P<whole>(?!0)\d{1,3})[.,](?P<decimals>\d{3})")
_GROUP: Final[Mapping[Numbers, str]] = {
    Numbers.POINT: ",",
    Numbers.COMMA: ".",
    Numbers.SPACE: "\u202f",
    Numbers.APOSTROPHE: "\u2019",
}


def _mark(numbers: Numbers) -> str:
    return "," if numbers in {Numbers.COMMA, Numbers.SPACE} else "."


def _pattern(numbers: Numbers) -> re.Pattern[str]:
    group = rf"[{re.escape(_GROUP[numbers])}{_NEUTRAL}]"
    indian = r"|\d{1,2}(?:,\d{2})+,\d{3}" if numbers is Numbers.POINT else ""
    return re.compile(
        rf"(?P<sign>[+\-\u2212]?)(?P<whole>\d*|\d{{1,3}}(?P<group>{group})(?:\d{{3}}(?P=group))*\d{{3}}{indian})"
        rf"(?:{re.escape(_mark(numbers))}(?P<decimals>\d*))?(?P<exponent>[eE][+-]?\d+)?"
    )


_OF: Final = {numbers: _pattern(numbers) for numbers in Numbers}


def plain_number(text: str) -> Decimal | None:
    """Parses a number in program notation; None if it is not one."""
    if not _PLAIN.fullmatch(text):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent beyond Decimal's own
        return None


def typed_number(text: str, numbers: Numbers | None = None) -> Decimal:
    """Parses a number in a notation; without one in any: 1234.5, 1234,5, 1.234,50, 1,234.50, 1 234,5, 1'234.5.

    Raises:
        NotationError: it is not a number of this notation, or could be two.
    """
    text = text.strip()
    return _in_any(text) if numbers is None else _in_one(text, numbers)


def _in_one(text: str, numbers: Numbers) -> Decimal:
    found = _OF[numbers].fullmatch(text)
    if found and (found["whole"] or found["decimals"]):
        read = plain_number(f"{_digits(found['whole'], found['sign'], found['decimals'])}{found['exponent'] or ''}")
        if read is not None:
            return read
    raise NotationError(f"must be a number such as {numbers.value}")


def _in_any(text: str) -> Decimal:
    unsure = _AMBIGUOUS.fullmatch(text)
    if unsure:
        sign, whole, decimals = unsure.group("sign", "whole", "decimals")
        raise NotationError(
            f"may mean two numbers: write {sign}{whole}{decimals}, or {sign}{whole}.{decimals}0 for the fraction"
        )
    number = plain_number(text)
    if number is not None:
        return number
    found = _ANY.fullmatch(text)
    if not found or not (found["whole"] or found["decimals"]) or (found["mark"] and found["mark"] in found["whole"]):
        raise NotationError("must be a number, such as 1234.50 or 1.234,50")
    return Decimal(_digits(found["whole"], found["sign"], found["decimals"]))


def _digits(whole: str, sign: str, decimals: str | None) -> str:
    digits = re.sub(r"\D", "", whole) or "0"
    sign = sign.replace("\u2212", "-")
    return f"{sign}{digits}.{decimals}" if decimals else f"{sign}{digits}"


def written(number: Decimal | int, numbers: Numbers | None = None, *, grouped: bool = False) -> str:
    """A number in a notation; without one as all can read it, in groups with a narrow space. `typed_number` reads it back."""
    exact = Decimal(number)  # an int's own format would go through a float
    text = f"{exact:,f}" if grouped else f"{exact:f}"
    if numbers is not None:
        return text.translate(str.maketrans(",.", _GROUP[numbers] + _mark(numbers)))
    text = text.replace(",", "\u202f")
    return f"{text}0" if _AMBIGUOUS.fullmatch(text) else text
