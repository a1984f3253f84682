"""What staff typed into the form of a quote, as its terms, and terms as the form shows them. Pure."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

from vivero_core.model.base import INTEGER_MAX
from vivero_core.model.naming import EMAIL_MAX_LENGTH
from vivero_web.errors import FieldError, InvalidInputError
from vivero_web.text import tidy, whole_number

from vivero_control.domain.contracts.schemas import (
    DAYS_TO_PAY_MAX,
    GIB,
    LINES_MAX,
    PRICE_MAX,
    QUANTITY_MAX,
    TERM_MAX,
    AgreedLimits,
    QuoteLine,
    QuoteTerms,
)

FEWEST_ROWS: Final = 3
_PRICE: Final = re.compile(r"([0-9]{1,8})(?:[.,]([0-9]{1,2}))?")
_LIMITS: Final = {
    "records": ("records", 0, INTEGER_MAX, 1),
    "users": ("users", 1, INTEGER_MAX, 1),
    "storage_gib": ("storage_bytes", 0, INTEGER_MAX // GIB, GIB),
    "requests_per_minute": ("requests_per_minute", 1, 10**7, 1),
}
"""Field of the form: limit, least, most, and how much one of it is."""


def cents(typed: str) -> int | None:
    """2400, 2400.5 or 2400,50 as cents; None of what is no price, such as one with signs between the thousands."""
    found = _PRICE.fullmatch(typed.strip())
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) if found else None


class _Reading:
    """A form, and what is wrong with it."""

    def __init__(self, typed: Mapping[str, str]) -> None:
        self.typed = typed
        self.errors: list[FieldError] = []

    def text(self, name: str) -> str:
        return self.typed.get(name, "").strip()

    def whole(self, name: str, least: int, most: int) -> int:
        found = whole_number(self.text(name))
        if found is not None and least <= found <= most:
            return found
        self.errors.append(FieldError(name, f"Enter a whole number from {least:,} to {most:,}."))
        return least

    def day(self, name: str) -> date:
        try:
            return date.fromisoformat(self.text(name))
        except ValueError:
            self.errors.append(FieldError(name, "Choose a day."))
            return date.min

    def limits(self) -> AgreedLimits:
        return AgreedLimits(
            **{
                limit: self.whole(name, least, most) * unit
                for name, (limit, least, most, unit) in _LIMITS.items()
                if self.text(name)
            }
        )

    def lines(self) -> tuple[QuoteLine, ...]:
        numbers = range(1, LINES_MAX + 1)
        return tuple(self._line(row) for row in numbers if any(self.text(name) for name in names(row)))

    def _line(self, row: int) -> QuoteLine:
        text, quantity, price = (self.text(name) for name in names(row))
        many, each = whole_number(quantity or "1"), cents(price)
        if not tidy(text) or not many or many > QUANTITY_MAX or each is None or each > PRICE_MAX:
            self.errors.append(
                FieldError("lines", f"Line {row} needs words, a whole quantity and a price such as 2400 or 2400.50.")
            )
        return QuoteLine(text=text, quantity=many or 1, unit_cents=each or 0)


def names(row: int) -> tuple[str, str, str]:
    """The fields of one line: words, quantity, price."""
    return f"line_{row}_text", f"line_{row}_quantity", f"line_{row}_price"


def terms(typed: Mapping[str, str]) -> QuoteTerms:
    """The form as terms.

    Raises:
        InvalidInputError: naming the fields that cannot be read; the rules of what is read come after.
    """
    read = _Reading(typed)
    country = read.text("country").upper()
    if not re.fullmatch("[A-Z]{2}", country):
        read.errors.append(FieldError("country", "Two letters, such as DE."))
    if not read.text("plan"):
        read.errors.append(FieldError("plan", "Choose a plan."))
    found = QuoteTerms(
        tenant=read.text("tenant") or None,
        company=read.text("company"),
        address=read.text("address"),
        country=country,
        tax_id=read.text("tax_id"),
        email=read.text("email")[: EMAIL_MAX_LENGTH + 1],
        plan=read.text("plan"),
        limits=read.limits(),
        lines=read.lines(),
        term_months=read.whole("term_months", 1, TERM_MAX),
        period_months=read.whole("period_months", 1, TERM_MAX),
        starts_on=read.day("starts_on"),
        order_number=read.text("order_number"),
        days_to_pay=read.whole("days_to_pay", 0, DAYS_TO_PAY_MAX),
        valid_until=read.day("valid_until"),
    )
    if read.errors:
        raise InvalidInputError.of_all(read.errors)
    return found


def typed(of: QuoteTerms) -> dict[str, str]:
    """Terms as the form shows them."""
    shown = {
        "tenant": of.tenant or "",
        "term_months": str(of.term_months),
        "period_months": str(of.period_months),
        "days_to_pay": str(of.days_to_pay),
        "starts_on": of.starts_on.isoformat(),
        "valid_until": of.valid_until.isoformat(),
    }
    shown |= {
        name: getattr(of, name) for name in ("company", "address", "country", "tax_id", "email", "plan", "order_number")
    }
    for name, (limit, _, _, unit) in _LIMITS.items():
        value = getattr(of.limits, limit)
        shown[name] = "" if value is None else str(value // unit)
    for row, line in enumerate(of.lines, 1):
        words, quantity, price = names(row)
        whole, rest = divmod(line.unit_cents, 100)
        shown |= {words: line.text, quantity: str(line.quantity), price: f"{whole}.{rest:02}"}
    return shown


def rows(shown: Mapping[str, str]) -> list[tuple[int, str, str, str]]:
    """Number and names of the fields of the lines that the form has: those in use, and one more."""
    used = [row for row in range(1, LINES_MAX + 1) if any(shown.get(name) for name in names(row))]
    last = min(LINES_MAX, max(FEWEST_ROWS, max(used, default=0) + 1))
    return [(row, *names(row)) for row in range(1, last + 1)]
