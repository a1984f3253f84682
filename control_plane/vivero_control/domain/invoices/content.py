"""What an invoice says: written once, when its number is taken, and never changed. Amounts are cents."""

import datetime as dt
from enum import StrEnum
from typing import Final

from msgspec import Struct
from vivero_core.model.plan import Currency

from vivero_control.domain.contracts.schemas import QuoteLine, Totals

REFUSED: Final = 3
"""Exit code of the process that makes documents when one cannot say what the content says: its last line says what."""


class Kind(StrEnum):
    """The values are those of EN 16931 (UNTDID 1001)."""

    INVOICE = "380"
    CREDIT_NOTE = "381"


class Party(Struct, frozen=True, kw_only=True):
    """Who sells or buys."""

    name: str
    address: tuple[str, ...]
    """Lines, without the country."""
    country: str
    tax_id: str
    email: str


class Content(Struct, frozen=True, kw_only=True):
    """An invoice or a credit note."""

    number: str
    kind: Kind
    issued_on: dt.date
    due_on: dt.date
    period_from: dt.date
    period_to: dt.date
    seller: Party
    buyer: Party
    contract: int
    order_number: str
    lines: tuple[QuoteLine, ...]
    currency: Currency
    totals: Totals
    iban: str
    bic: str
    corrects: str = ""
    """Number of the invoice that a credit note takes back, all of it."""
    corrects_of: dt.date | None = None
    """The day of that invoice."""
