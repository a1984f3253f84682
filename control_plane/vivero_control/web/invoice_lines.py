"""Presentation of invoices of contracts, for staff and customers. Pure."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from msgspec import Struct

from vivero_control.domain.invoices.schemas import InvoiceState, InvoiceView, OpenSum
from vivero_control.web.billing_lines import money
from vivero_control.web.presentation import StatusLabel

STATES: Final = {
    InvoiceState.OPEN: StatusLabel("Open", "info"),
    InvoiceState.LATE: StatusLabel("Late", "warning"),
    InvoiceState.PAID: StatusLabel("Paid", "success"),
    InvoiceState.TAKEN_BACK: StatusLabel("Taken back", "neutral"),
    InvoiceState.CREDIT_NOTE: StatusLabel("Credit note", "neutral"),
}


class InvoiceLine(Struct, frozen=True, kw_only=True):
    """An invoice in a list."""

    number: str
    company: str
    state: StatusLabel
    total: str
    issued_on: date
    due_on: date
    period_from: date
    period_to: date
    has_document: bool


def line(invoice: InvoiceView) -> InvoiceLine:
    return InvoiceLine(
        number=invoice.number,
        company=invoice.company,
        state=STATES[invoice.state],
        total=money(invoice.totals.total_cents, invoice.currency),
        issued_on=invoice.issued_on,
        due_on=invoice.due_on,
        period_from=invoice.period_from,
        period_to=invoice.period_to,
        has_document=invoice.sha256 is not None,
    )


def owed(sums: Sequence[OpenSum]) -> list[tuple[str, str]]:
    """What is not paid, and what of it is late, by currency."""
    return [(money(one.open_cents, one.currency), money(one.late_cents, one.currency)) for one in sums]
