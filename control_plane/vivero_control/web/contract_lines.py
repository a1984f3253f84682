"""Presentation of quotes and contracts, for staff and customers. Pure."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from msgspec import Struct
from vivero_core.model.plan import Currency
from vivero_ui.filters import bytes_, number

from vivero_control.domain.contracts.schemas import (
    AgreedLimits,
    ContractState,
    ContractView,
    QuoteLine,
    QuoteState,
    QuoteTerms,
    QuoteView,
    Totals,
    Vat,
)
from vivero_control.web.billing_lines import money
from vivero_control.web.presentation import StatusLabel

QUOTE_STATES: Final = {
    QuoteState.DRAFT: StatusLabel("Draft", "neutral"),
    QuoteState.SENT: StatusLabel("Sent", "info"),
    QuoteState.ACCEPTED: StatusLabel("Accepted", "success"),
    QuoteState.DECLINED: StatusLabel("Declined", "neutral"),
    QuoteState.EXPIRED: StatusLabel("Expired", "warning"),
    QuoteState.WITHDRAWN: StatusLabel("Withdrawn", "neutral"),
}
CONTRACT_STATES: Final = {
    ContractState.AHEAD: StatusLabel("Begins later", "info"),
    ContractState.IN_FORCE: StatusLabel("In force", "success"),
    ContractState.ENDED: StatusLabel("Ended", "neutral"),
}
_VAT: Final = {
    Vat.STANDARD: "VAT {rate} %",
    Vat.REVERSE_CHARGE: "VAT: reverse charge, to be paid by the customer",
    Vat.OUTSIDE: "Not subject to VAT",
}
"""As the page and the invoice say it."""


class PriceLine(Struct, frozen=True, kw_only=True):
    """One line of what is offered."""

    text: str
    quantity: str
    unit: str
    total: str


class Price(Struct, frozen=True, kw_only=True):
    """What one invoice comes to, in words."""

    lines: list[PriceLine]
    net: str
    vat: str
    vat_amount: str
    total: str
    every: str


def vat_words(found: Totals) -> str:
    return _VAT[found.vat].format(rate=f"{found.rate / 100:.2f}".rstrip("0").rstrip("."))


def every(months: int) -> str:
    """How often there is an invoice."""
    match months:
        case 1:
            return "every month"
        case 12:
            return "every year"
        case _:
            return f"every {months} months"


def term(months: int) -> str:
    """How long a contract lasts."""
    years, rest = divmod(months, 12)
    if rest or not years:
        return f"{months} months" if months > 1 else "1 month"
    return f"{years} years" if years > 1 else "1 year"


def price(terms: QuoteTerms, totals: Totals) -> Price:
    """Of a quote."""
    return priced(terms.lines, totals, terms.currency, every(terms.period_months))


def priced(lines: Sequence[QuoteLine], totals: Totals, currency: Currency, how_often: str = "") -> Price:
    """Lines with their tax; `how_often` such as `every year`, nothing of what is there once."""

    def shown(amount: int) -> str:
        return money(amount, currency)

    return Price(
        lines=[
            PriceLine(text=one.text, quantity=number(one.quantity), unit=shown(one.unit_cents), total=shown(one.cents))
            for one in lines
        ],
        net=shown(totals.net_cents),
        vat=vat_words(totals),
        vat_amount=shown(totals.vat_cents),
        total=shown(totals.total_cents),
        every=how_often,
    )


def limits(of: AgreedLimits) -> list[tuple[str, str]]:
    """Those that are not the plan's."""
    shown = (
        ("Records", of.records, number),
        ("Users", of.users, number),
        ("Files", of.storage_bytes, bytes_),
        ("Requests a minute", of.requests_per_minute, number),
    )
    return [(words, write(value)) for words, value, write in shown if value is not None]


class ContractLine(Struct, frozen=True, kw_only=True):
    """A contract as the customer sees it."""

    plan: str
    state: StatusLabel
    in_force: bool
    starts_on: date
    ends_on: date
    limits: list[tuple[str, str]]
    order_number: str
    accepted_by: str


def shown_to_customer(contracts: Sequence[ContractView]) -> ContractLine | None:
    """The one in force, else one that begins later; `contracts` as ContractService.of_tenant has them."""
    holding = [one for one in contracts if one.state is ContractState.IN_FORCE]
    ahead = [one for one in contracts if one.state is ContractState.AHEAD]
    found = next(iter(holding + ahead), None)
    if found is None:
        return None
    return ContractLine(
        plan=found.terms.plan.capitalize(),
        state=CONTRACT_STATES[found.state],
        in_force=found.state is ContractState.IN_FORCE,
        starts_on=found.terms.starts_on,
        ends_on=found.ends_on,
        limits=limits(found.terms.limits),
        order_number=found.terms.order_number,
        accepted_by=found.accepted_by,
    )


def headline(quote: QuoteView) -> str:
    """What the customer reads first."""
    match quote.state:
        case QuoteState.SENT:
            return "Our offer to you"
        case QuoteState.ACCEPTED:
            return "You have accepted this quote"
        case QuoteState.DECLINED:
            return "You have declined this quote"
        case QuoteState.EXPIRED:
            return "This quote has expired"
        case _:
            return "This quote was withdrawn"
