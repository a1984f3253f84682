"""Quotes and contracts as staff and customers see them. Amounts are cents, days are days in UTC."""

import datetime as dt
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct
from vivero_core.model.base import INTEGER_MAX
from vivero_core.model.plan import Currency
from vivero_web.fields import Company, Email, documented

from vivero_control.domain.tenants.schemas import OBJECT_NAME_MAX

ADDRESS_MAX: Final = 300
ADDRESS_LINES: Final = 5
LINES_MAX: Final = 20
LINE_MAX: Final = 120
TAX_ID_MAX: Final = 20
ORDER_NUMBER_MAX: Final = 60
REASON_MAX: Final = 500
QUANTITY_MAX: Final = 100_000
PRICE_MAX: Final = 10**9
"""Cents: ten million of a currency."""
GIB: Final = 2**30
TERM_MAX: Final = 120
"""Months."""
DAYS_TO_PAY_MAX: Final = 180


class QuoteState(StrEnum):
    """Where a quote stands."""

    DRAFT = "draft"
    SENT = "sent"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    """It was sent, and not answered until the day that it was good for."""
    WITHDRAWN = "withdrawn"


class AgreedLimits(Struct, frozen=True, kw_only=True):
    """Limits of use in place of the plan's; null is what the plan has."""

    records: Annotated[int, Meta(ge=0, le=INTEGER_MAX, description="Of all collections together.")] | None = None
    users: Annotated[int, Meta(ge=1, le=INTEGER_MAX, description="Active ones.")] | None = None
    storage_bytes: (
        Annotated[
            int, Meta(ge=0, le=INTEGER_MAX, multiple_of=GIB, description="Of the contents of files, in whole GiB.")
        ]
        | None
    ) = None
    requests_per_minute: Annotated[int, Meta(ge=1, le=10**7, description="Of all users together.")] | None = None


class QuoteLine(Struct, frozen=True, kw_only=True):
    """What is sold, for one period."""

    text: Annotated[str, documented("What it is, as the invoice says it.", minLength=1, maxLength=LINE_MAX)]
    quantity: Annotated[int, Meta(ge=1, le=QUANTITY_MAX, description="How many of it.")]
    unit_cents: Annotated[int, Meta(ge=0, le=PRICE_MAX, description="Price of one, without tax.")]

    @property
    def cents(self) -> int:
        """Without tax."""
        return self.quantity * self.unit_cents


class QuoteTerms(Struct, frozen=True, kw_only=True):
    """What is offered, to whom."""

    tenant: (
        Annotated[
            str,
            Meta(max_length=OBJECT_NAME_MAX, description="Name of the Tenant it is for; null while there is none."),
        ]
        | None
    ) = None
    company: Company
    address: Annotated[
        str, documented("Lines of the postal address, without the country.", minLength=1, maxLength=ADDRESS_MAX)
    ]
    country: Annotated[str, Meta(pattern="^[A-Z]{2}$", description="Of the address, as in ISO 3166, such as `DE`.")]
    tax_id: Annotated[str, documented("VAT id; empty without one.", maxLength=TAX_ID_MAX)] = ""
    email: Email
    plan: Annotated[str, Meta(min_length=1, max_length=OBJECT_NAME_MAX, description="Name of the plan.")]
    limits: AgreedLimits = AgreedLimits()
    lines: Annotated[tuple[QuoteLine, ...], documented("For one period.", minItems=1, maxItems=LINES_MAX)]
    currency: Currency = Currency.EUR
    term_months: Annotated[int, Meta(ge=1, le=TERM_MAX, description="How long the contract lasts.")]
    period_months: Annotated[
        int, Meta(ge=1, le=TERM_MAX, description="How long each invoice is for; the term is a multiple of it.")
    ]
    starts_on: Annotated[dt.date, Meta(description="The first day of the contract.")]
    order_number: Annotated[
        str, documented("The customer's purchase-order number; empty without one.", maxLength=ORDER_NUMBER_MAX)
    ] = ""
    days_to_pay: Annotated[int, Meta(ge=0, le=DAYS_TO_PAY_MAX, description="From the day of an invoice on.")] = 30
    valid_until: Annotated[dt.date, Meta(description="The last day on which it can be accepted.")]


class Vat(StrEnum):
    """How an invoice is taxed; the values are those of EN 16931 (UNTDID 5305)."""

    STANDARD = "S"
    """At the seller's own rate."""
    REVERSE_CHARGE = "AE"
    """The buyer, a company in another country of the EU, owes it."""
    OUTSIDE = "O"
    """The buyer's country is outside the EU."""


class Totals(Struct, frozen=True, kw_only=True):
    """What one invoice comes to."""

    net_cents: Annotated[int, Meta(description="Sum of the lines.")]
    vat: Vat
    rate: Annotated[int, Meta(description="Of the tax, in hundredths of a per cent.")]
    vat_cents: Annotated[int, Meta(description="The tax.")]
    total_cents: Annotated[int, Meta(description="To be paid.")]


class QuoteView(Struct, frozen=True, kw_only=True):
    """A quote, and what became of it."""

    id: Annotated[int, Meta(description="Its number.")]
    state: QuoteState
    terms: QuoteTerms
    totals: Annotated[Totals, Meta(description="Of the invoice for one period.")]
    periods: Annotated[int, Meta(description="How many invoices there will be.")]
    ends_on: Annotated[dt.date, Meta(description="The last day of the contract.")]
    made_by: Annotated[str, Meta(description="Who of the staff.")]
    made_at: Annotated[datetime, Meta(description="When.")]
    sent_at: Annotated[datetime | None, Meta(description="Null while it is a draft.")]
    decided_at: Annotated[datetime | None, Meta(description="When it was accepted, declined or withdrawn.")]
    decided_by: Annotated[str, Meta(description="Name of the person who did so; empty before.")]
    reason: Annotated[str, Meta(description="Why it was declined or withdrawn; empty if nothing was said.")]
    contract: Annotated[int | None, Meta(description="Number of the contract that it became.")]


class QuoteList(Struct, frozen=True, kw_only=True):
    """The newest quotes, and how many there are."""

    items: Annotated[tuple[QuoteView, ...], Meta(description="The newest first, at most a hundred.")]
    total: Annotated[int, Meta(description="All that there are.")]


class Withdraw(Struct, frozen=True, kw_only=True):
    """Take a quote back."""

    reason: Annotated[str, Meta(min_length=3, max_length=REASON_MAX, description="Why; kept in the audit log.")]


class Acceptance(Struct, frozen=True, kw_only=True):
    """What a customer says who accepts a quote; `terms` is the version of the terms that was shown."""

    name: str
    order_number: str = ""
    agrees: bool = False
    terms: str = ""


class ContractState(StrEnum):
    """Where a contract stands today."""

    AHEAD = "ahead"
    IN_FORCE = "in-force"
    ENDED = "ended"


class ContractView(Struct, frozen=True, kw_only=True):
    """A contract, which is a quote that was accepted."""

    id: Annotated[int, Meta(description="Its number.")]
    quote: Annotated[int, Meta(description="Number of the quote.")]
    state: ContractState
    tenant: Annotated[str | None, Meta(description="Name of the Tenant it is for; null while there is none.")]
    terms: QuoteTerms
    ends_on: Annotated[dt.date, Meta(description="The last day.")]
    accepted_by: Annotated[str, Meta(description="Name of the person who accepted it.")]
    accepted_at: Annotated[datetime, Meta(description="When.")]
    terms_version: Annotated[str, Meta(description="Version of the terms that was agreed to.")]
    applied_at: Annotated[
        datetime | None, Meta(description="When the Tenant was seen to have its plan and limits for the first time.")
    ]


class ContractList(Struct, frozen=True, kw_only=True):
    """The newest contracts, and how many there are."""

    items: Annotated[tuple[ContractView, ...], Meta(description="The newest first, at most a hundred.")]
    total: Annotated[int, Meta(description="All that there are.")]


class Attach(Struct, frozen=True, kw_only=True):
    """Say for which Tenant a contract is that was made without one."""

    tenant: Annotated[str, Meta(min_length=1, max_length=OBJECT_NAME_MAX, description="Name of the Tenant.")]
