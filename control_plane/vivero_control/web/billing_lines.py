"""Presentation of subscriptions and invoices, for the owner of a workspace and for staff. Pure; the time is passed in."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct
from vivero_core.model.constants import SuspensionReason
from vivero_core.model.tenant import Tenant

from vivero_control.domain.billing import policies
from vivero_control.domain.billing.schemas import Interval, Invoice, InvoiceKind, InvoiceStatus, SubscriptionStatus
from vivero_control.domain.billing.service import MONTHS, BillingView
from vivero_control.domain.billing.sessions import Holder
from vivero_control.domain.plans.service import PlanView
from vivero_control.domain.tenants.policies import trial_end
from vivero_control.web.presentation import StatusLabel

_STATUSES: Final = {
    SubscriptionStatus.INCOMPLETE: StatusLabel("Not paid yet", "neutral"),
    SubscriptionStatus.INCOMPLETE_EXPIRED: StatusLabel("Never paid", "neutral"),
    SubscriptionStatus.TRIALING: StatusLabel("Active", "success"),
    SubscriptionStatus.ACTIVE: StatusLabel("Active", "success"),
    SubscriptionStatus.PAST_DUE: StatusLabel("Payment failed", "warning"),
    SubscriptionStatus.UNPAID: StatusLabel("Unpaid", "error"),
    SubscriptionStatus.PAUSED: StatusLabel("Paused", "warning"),
    SubscriptionStatus.CANCELED: StatusLabel("Ended", "neutral"),
}
_INVOICES: Final = {
    InvoiceStatus.DRAFT: StatusLabel("Draft", "neutral"),
    InvoiceStatus.OPEN: StatusLabel("Open", "warning"),
    InvoiceStatus.PAID: StatusLabel("Paid", "success"),
    InvoiceStatus.UNCOLLECTIBLE: StatusLabel("Given up", "error"),
    InvoiceStatus.VOID: StatusLabel("Void", "neutral"),
}
_KINDS: Final = {
    InvoiceKind.FIRST: "First period",
    InvoiceKind.RENEWAL: "Renewal",
    InvoiceKind.CHANGE: "Change of plan",
    InvoiceKind.OTHER: "Other",
}
_EVERY: Final = {Interval.MONTH: "a month", Interval.YEAR: "a year"}
_SYMBOLS: Final = {"EUR": "€", "USD": "$", "GBP": "£"}


def money(cents: int, currency: str) -> str:
    """€2,000 or €2,000.50; a credit has a minus in front."""
    whole, rest = divmod(abs(cents), 100)
    symbol = _SYMBOLS.get(currency, f"{currency}\N{NO-BREAK SPACE}")
    sign = "\N{MINUS SIGN}" if cents < 0 else ""
    return f"{sign}{symbol}{whole:,}{f'.{rest:02}' if rest else ''}"


class WorkspaceLine(Struct, frozen=True, kw_only=True):
    """The workspace whose plan it is."""

    name: str
    url: str
    plan: str
    state: StatusLabel
    note: str
    trial_ends_at: datetime | None


_CLOSED: Final = {
    SuspensionReason.TRIAL_ENDED: "It opens again, with everything where you left it, as soon as a plan is paid.",
    SuspensionReason.UNPAID: "It opens again as soon as it is paid. The data is kept.",
    SuspensionReason.ABUSE: "It was closed by the people who run Vivero; a payment does not open it.",
    SuspensionReason.MANUAL: "It was closed by the people who run Vivero; a payment does not open it.",
}


def workspace(
    tenant: Tenant, tenant_url: Callable[[str], str], plans: Sequence[PlanView], now: datetime
) -> WorkspaceLine:
    suspended, ends = tenant.spec.suspended, trial_end(tenant)
    names = {one.name: one.display_name for one in plans}
    state, note = StatusLabel("Open", "success"), ""
    if suspended is not None:
        state, note = StatusLabel("Closed", "warning"), _CLOSED[suspended.reason]
    elif ends is not None and ends <= now:
        state = StatusLabel("Trial ended", "warning")
    return WorkspaceLine(
        name=tenant.spec.display_name,
        url=tenant.status.url or tenant_url(tenant.spec.slug or ""),
        plan=names.get(tenant.spec.plan, tenant.spec.plan.capitalize()),
        state=state,
        note=note,
        trial_ends_at=ends,
    )


def holder_of(tenant: Tenant) -> Holder:
    return Holder(tenant.name, tenant.metadata.uid)


class PlanLine(Struct, frozen=True, kw_only=True):
    """What is paid."""

    id: str
    name: str
    price: str
    state: StatusLabel
    ends_with_period: bool
    is_open: bool
    period_start: datetime
    period_end: datetime
    to_pay: str
    """The provider's page of the invoice that is open; empty without one."""


def plan(view: BillingView, plans: Sequence[PlanView]) -> PlanLine | None:
    """None before anything was bought."""
    found = view.subscription
    if found is None:
        return None
    names = {one.name: one.display_name for one in plans}
    owed = next((one for one in view.invoices if one.status is InvoiceStatus.OPEN and one.page_url), None)
    return PlanLine(
        id=found.id,
        name=names.get(found.plan, found.plan),
        price=f"{money(found.amount_cents, found.currency)} {_EVERY[found.interval]}",
        state=_STATUSES[found.status],
        ends_with_period=found.ends_with_period,
        is_open=policies.access(found.status) is policies.Access.OPEN,
        period_start=found.period_start,
        period_end=found.period_end,
        to_pay=(owed.page_url or "") if owed else "",
    )


class OfferLine(Struct, frozen=True, kw_only=True):
    """One plan that can be bought."""

    plan: PlanView
    prices: dict[str, str]


def offers(view: BillingView, plans: Sequence[PlanView]) -> list[OfferLine]:
    """None while another subscription would be a second one."""
    if view.subscription is not None and not policies.may_buy([view.subscription]):
        return []
    return [
        OfferLine(
            plan=one,
            prices={
                str(interval): f"{money(one.price_cents * months, one.currency)} {_EVERY[interval]}"
                for interval, months in MONTHS.items()
            },
        )
        for one in plans
    ]


class InvoiceLine(Struct, frozen=True, kw_only=True):
    """One row of the list."""

    number: str
    what: str
    total: str
    state: StatusLabel
    created_at: datetime
    period_start: datetime
    period_end: datetime
    page_url: str


def invoice(one: Invoice) -> InvoiceLine:
    return InvoiceLine(
        number=one.number or "Draft",
        what=_KINDS[one.kind],
        total=money(one.total_cents, one.currency),
        state=_INVOICES[one.status],
        created_at=one.created_at,
        period_start=one.period_start,
        period_end=one.period_end,
        page_url=one.page_url or "",
    )
