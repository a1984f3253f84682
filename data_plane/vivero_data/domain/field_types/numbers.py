"""Numbers as programs and as people write them; exact, never through a float; pure.

Programs have one way: digits, a point, perhaps an exponent. People have many,
and a workspace has no setting that says which: what can only mean one number
is read, what may mean two is refused with both spellings that are sure.
"""

import re
from decimal import Decimal, InvalidOperation
from typing import Final

_PLAIN: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_TYPED: Final = re.compile(
    r"(?P<sign>[+\-\u2212]?)"
    # 1234; groups with one and the same sign between them, 1.234.567 or 1'234; groups as in India, 12,34,567
    r"(?P<whole>\d*|\d{1,3}(?P<group>[.,\u066c'\u2019 \u00a0\u2009\u202f])(?:\d{3}(?P=group))*\d{3}|\d{1,2}(?:,\d{2})+,\d{3})"
    r"(?:(?P<mark>[.,\u066b])(?P<decimals>\d*))?"
)
# Either a fraction or a group of thousands; nobody groups what begins with 0.
_AMBIGUOUS: Final = re.compile(r"(?P<sign>[+\-\u2212]?)(?P<whole>(?!0)\d{1,3})[.,](?P<decimals>\d{3})")


class UnsureNumberError(ValueError):
    """A text that is no number, or may be two; the message says what to write."""


def plain_number(text: str) -> Decimal | None:
    """What a program wrote; None if it is no number."""
    if not _PLAIN.fullmatch(text):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent beyond Decimal's own
        return None


def typed_number(text: str) -> Decimal:
    """What a person wrote: 1234.5, 1234,5, 1.234,50, 1,234.50, 1 234,5, 1'234.5.

    Raises:
        UnsureNumberError: it is no number, or may be two of them.
    """
    text = text.strip()
    unsure = _AMBIGUOUS.fullmatch(text)
    if unsure:
        sign, whole, decimals = unsure.group("sign", "whole", "decimals")
        raise UnsureNumberError(
            f"may mean two numbers: write {sign}{whole}{decimals}, or {sign}{whole}.{decimals}0 for the fraction"
        )
    number = plain_number(text)
    if number is not None:
        return number
    found = _TYPED.fullmatch(text)
    if not found or not (found["whole"] or found["decimals"]) or (found["mark"] and found["mark"] in found["whole"]):
        raise UnsureNumberError("must be a number, such as 1234.50 or 1.234,50")
    digits = re.sub(r"\D", "", found["whole"]) or "0"
    sign = found["sign"].replace("\u2212", "-")
    return Decimal(f"{sign}{digits}.{found['decimals']}" if found["decimals"] else f"{sign}{digits}")


def written(number: Decimal | int, *, grouped: bool = False) -> str:
    """A number so that nobody reads another, and `typed_number` the same; groups have a narrow space between them."""
    exact = Decimal(number)  # an int's own format would go through a float
    text = f"{exact:,f}".replace(",", "\u202f") if grouped else f"{exact:f}"
    return f"{text}0" if _AMBIGUOUS.fullmatch(text) else text
