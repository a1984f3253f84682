"""Invoices of contracts as staff and customers see them. Amounts are cents, days are days in UTC."""

import datetime as dt
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct
from vivero_core.model.plan import Currency
from vivero_web.fields import documented

from vivero_control.domain.contracts.schemas import REASON_MAX, QuoteLine, Totals

NUMBER: Final = r"^\d{4}-\d{4,8}$"
REFERENCE_MAX: Final = 120


class InvoiceState(StrEnum):
    """Where an invoice stands today."""

    OPEN = "open"
    LATE = "late"
    """It is not paid, and the day by which it was to be has passed."""
    PAID = "paid"
    TAKEN_BACK = "taken-back"
    """By a credit note."""
    CREDIT_NOTE = "credit-note"
    """It is one."""


class InvoiceView(Struct, frozen=True, kw_only=True):
    """An invoice of a contract, or a credit note."""

    number: Annotated[str, Meta(pattern=NUMBER, description="Year and number in it, without gaps.")]
    state: InvoiceState
    contract: Annotated[int, Meta(description="Number of the contract.")]
    company: Annotated[str, Meta(description="Whom it is for.")]
    issued_on: Annotated[dt.date, Meta(description="Its day.")]
    due_on: Annotated[dt.date, Meta(description="The last day to pay it.")]
    period_from: Annotated[dt.date, Meta(description="First day of what it is for.")]
    period_to: Annotated[dt.date, Meta(description="Last day of what it is for.")]
    order_number: Annotated[str, Meta(description="The customer's purchase-order number; empty without one.")]
    lines: Annotated[tuple[QuoteLine, ...], Meta(description="What was sold.")]
    currency: Currency
    totals: Totals
    paid_on: Annotated[dt.date | None, Meta(description="Null while it is not.")]
    payment_reference: Annotated[str, Meta(description="Of the transfer; empty if none was given.")]
    corrects: Annotated[str | None, Meta(description="Of a credit note: number of the invoice that it takes back.")]
    credit_note: Annotated[str | None, Meta(description="Number of the credit note that takes it back.")]
    sha256: Annotated[str | None, Meta(description="Of its document, in hexadecimal; null until that is made.")]


class OpenSum(Struct, frozen=True, kw_only=True):
    """What is not paid in one currency."""

    currency: Currency
    open_cents: Annotated[int, Meta(description="All of it.")]
    late_cents: Annotated[int, Meta(description="What of it was to be paid by a day that has passed.")]


class InvoiceList(Struct, frozen=True, kw_only=True):
    """Invoices, and what of all that there are is not paid."""

    items: Annotated[tuple[InvoiceView, ...], Meta(description="The newest first, at most a hundred.")]
    total: Annotated[int, Meta(description="All in this state.")]
    unpaid: Annotated[tuple[OpenSum, ...], Meta(description="By currency; those of which something is not paid.")]


class Payment(Struct, frozen=True, kw_only=True):
    """An invoice was paid."""

    paid_on: Annotated[dt.date, Meta(description="The day on which the money came; not later than today.")]
    reference: Annotated[
        str, documented("Of the transfer, as the bank has it; empty without one.", maxLength=REFERENCE_MAX)
    ] = ""


class TakeBack(Struct, frozen=True, kw_only=True):
    """Take an invoice back, all of it."""

    reason: Annotated[str, Meta(min_length=3, max_length=REASON_MAX, description="Why; kept in the audit log.")]
