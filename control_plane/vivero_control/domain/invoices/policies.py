"""Decisions about invoices: which are due, what they say, when they are late. No I/O, days passed in."""

from collections.abc import Collection, Iterable
from datetime import date, timedelta
from typing import Final

from msgspec import structs
from vivero_web.errors import FieldError, InvalidInputError
from vivero_web.text import name_problem, tidy

from vivero_control.domain.contracts import policies, vat
from vivero_control.domain.contracts.schemas import QuoteTerms
from vivero_control.domain.invoices.content import Content, Kind, Party
from vivero_control.domain.invoices.errors import WrongInvoiceStateError
from vivero_control.domain.invoices.schemas import REFERENCE_MAX, InvoiceState, OpenSum, Payment
from vivero_control.settings import CompanySettings, InvoicingSettings

UNPAID: Final = frozenset({InvoiceState.OPEN, InvoiceState.LATE})
FINAL: Final = frozenset({InvoiceState.TAKEN_BACK, InvoiceState.CREDIT_NOTE})
"""What cannot be taken back."""
REMINDERS: Final = (1, 7, 14)
"""Days late on which staff are told."""
TO_CUSTOMER: Final = frozenset({7, 14})
"""Of these, those on which the customer is, too."""


def number_of(year: int, position: int) -> str:
    """Such as 2026-0001."""
    return f"{year}-{position:04d}"


def begun(terms: QuoteTerms, today: date) -> list[tuple[date, date]]:
    """The periods of a contract whose first day has come: each is to be paid in advance."""
    return [(first, last) for first, last in policies.periods(terms) if first <= today]


def missing(terms: QuoteTerms, invoiced: Collection[date], today: date) -> list[tuple[date, date]]:
    """The periods that have begun and have no invoice; `invoiced` are first days."""
    return [(first, last) for first, last in begun(terms, today) if first not in invoiced]


def content(  # noqa: PLR0913, PLR0917  what an invoice is made of
    number: str,
    contract: int,
    terms: QuoteTerms,
    period: tuple[date, date],
    company: CompanySettings,
    seller: InvoicingSettings,
    today: date,
) -> Content:
    """What the invoice of one period says."""
    how = vat.treatment(seller.country, terms.country, terms.tax_id)
    return Content(
        number=number,
        kind=Kind.INVOICE,
        issued_on=today,
        due_on=today + timedelta(days=terms.days_to_pay),
        period_from=period[0],
        period_to=period[1],
        seller=Party(
            name=company.name,
            address=tuple(filter(None, map(tidy, company.address.splitlines()))),
            country=seller.country,
            tax_id=company.vat_id or "",
            email=company.email,
        ),
        buyer=Party(
            name=terms.company,
            address=tuple(terms.address.splitlines()),
            country=terms.country,
            tax_id=terms.tax_id,
            email=terms.email,
        ),
        contract=contract,
        order_number=terms.order_number,
        lines=terms.lines,
        currency=terms.currency,
        totals=vat.totals(terms.lines, how, seller.rate),
        iban=seller.iban,
        bic=seller.bic or "",
    )


def credit_note(number: str, of: Content, today: date) -> Content:
    """What takes an invoice back: the same amounts, as a document of its own."""
    return structs.replace(
        of,
        number=number,
        kind=Kind.CREDIT_NOTE,
        issued_on=today,
        due_on=today,
        corrects=of.number,
        corrects_of=of.issued_on,
    )


def state_on(kind: Kind, due_on: date, paid_on: date | None, *, taken_back: bool, today: date) -> InvoiceState:
    if kind is Kind.CREDIT_NOTE:
        return InvoiceState.CREDIT_NOTE
    if taken_back:
        return InvoiceState.TAKEN_BACK
    if paid_on is not None:
        return InvoiceState.PAID
    return InvoiceState.LATE if today > due_on else InvoiceState.OPEN


def check_payment(state: InvoiceState, payment: Payment, issued_on: date, today: date) -> Payment:
    """Tidied. Raises WrongInvoiceStateError, and InvalidInputError naming `paid_on` or `reference`."""
    if state not in UNPAID:
        raise WrongInvoiceStateError(state)
    reference = tidy(payment.reference)
    wrong = []
    if not issued_on - timedelta(days=366) <= payment.paid_on <= today:
        wrong.append(FieldError("paid_on", "Choose today or an earlier day, within a year before the invoice."))
    if problem := name_problem(reference, REFERENCE_MAX):
        wrong.append(FieldError("reference", problem))
    if wrong:
        raise InvalidInputError.of_all(wrong)
    return structs.replace(payment, reference=reference)


def reminder(due_on: date, told: int | None, today: date) -> int | None:
    """Which of REMINDERS is due now; `told` is the last one that was. The last of several that are."""
    late = (today - due_on).days
    due = max((days for days in REMINDERS if days <= late), default=None)
    return due if due is not None and (told is None or due > told) else None


def unpaid(found: Iterable[tuple[Content, date | None, bool]], today: date) -> tuple[OpenSum, ...]:
    """What is not paid, by currency; each is an invoice, when it was paid and whether it was taken back."""
    sums: dict[str, OpenSum] = {}
    for one, paid_on, taken_back in found:
        state = state_on(one.kind, one.due_on, paid_on, taken_back=taken_back, today=today)
        if state not in UNPAID:
            continue
        before = sums.get(one.currency, OpenSum(currency=one.currency, open_cents=0, late_cents=0))
        cents = one.totals.total_cents
        sums[one.currency] = OpenSum(
            currency=one.currency,
            open_cents=before.open_cents + cents,
            late_cents=before.late_cents + (cents if state is InvoiceState.LATE else 0),
        )
    return tuple(sums[currency] for currency in sorted(sums))
