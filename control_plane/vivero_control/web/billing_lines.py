"""Presentation of subscriptions and invoices, for the owner of a workspace and for staff. Pure; the time is passed in."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct
from vivero_core.model.constants import SuspensionReason
from vivero_core.model.tenant import Tenant
from vivero_ui.filters import bytes_, number

from vivero_control.domain.billing import pause_rules, policies
from vivero_control.domain.billing.change_rules import MONTHS, Moment, Preview, hindrance, moment_of
from vivero_control.domain.billing.pause_rules import Restart
from vivero_control.domain.billing.schemas import (
    Interval,
    Invoice,
    InvoiceKind,
    InvoiceStatus,
    Subscription,
    SubscriptionStatus,
)
from vivero_control.domain.billing.service import BillingView, offer_of
from vivero_control.domain.plans.service import PlanLimits, PlanView
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


def _price(cents: int, currency: str, interval: Interval) -> str:
    return f"{money(cents, currency)} {_EVERY[interval]}"


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
    SuspensionReason.SUBSCRIPTION_PAUSED: "It opens again when the pause of the plan is over. The data is kept.",
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


class PlanLine(Struct, frozen=True, kw_only=True):
    """What is paid."""

    id: str
    name: str
    price: str
    state: StatusLabel
    ends_with_period: bool
    next_plan: str
    """What begins with the next period; empty if nothing changes."""
    is_open: bool
    goes_on: bool
    can_change: bool
    can_pause: bool
    is_paused: bool
    pause_starts_at: datetime | None
    pause_ends_at: datetime | None
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
        price=_price(found.amount_cents, found.currency, found.interval),
        state=_STATUSES[found.status],
        ends_with_period=found.ends_with_period,
        next_plan=names.get(found.next_plan, found.next_plan) if found.next_plan else "",
        can_change=hindrance(found) is None,
        can_pause=pause_rules.hindrance(found, view.invoices) is None,
        is_paused=found.status is SubscriptionStatus.PAUSED,
        pause_starts_at=found.paused_from,
        pause_ends_at=found.paused_until,
        goes_on=policies.goes_on(found.status),
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


class ChangeLine(Struct, frozen=True, kw_only=True):
    """One other plan or period that the present one can be changed to."""

    plan: PlanView
    interval: Interval
    price: str
    at_once: bool


def changes(view: BillingView, plans: Sequence[PlanView]) -> list[ChangeLine]:
    """Every change that is made in one step, cheapest first by the month."""
    current = view.subscription
    if current is None:
        return []
    found = ((one, interval, moment_of(current, offer_of(one, "", interval))) for interval in Interval for one in plans)
    return [
        ChangeLine(
            plan=one,
            interval=interval,
            price=_price(one.price_cents * MONTHS[interval], one.currency, interval),
            at_once=moment is Moment.NOW,
        )
        for one, interval, moment in found
        if moment is not None
    ]


class PauseLine(Struct, frozen=True, kw_only=True):
    """What a pause means, before it is agreed on."""

    price: str
    starts_at: datetime
    starts: int
    """The same second, as a form brings it along."""
    choices: list[tuple[int, datetime]]
    """Months, and when it is over."""


def pauses(current: Subscription) -> PauseLine:
    found = pause_rules.pauses(current)
    return PauseLine(
        price=_price(current.amount_cents, current.currency, current.interval),
        starts_at=current.period_end,
        starts=int(current.period_end.timestamp()),
        choices=[(one.months, one.ends_at) for one in found],
    )


def pause_choice(view: BillingView) -> PauseLine | None:
    """None where no pause can be agreed on now."""
    current = view.subscription
    return pauses(current) if current and pause_rules.hindrance(current, view.invoices) is None else None


class RestartLine(Struct, frozen=True, kw_only=True):
    """What the end of a pause costs, before it is agreed on."""

    total: str
    lines: list[tuple[str, str]]
    pause_ends_at: datetime | None
    at: int
    cents: int


def restart(found: Restart) -> RestartLine:
    currency = found.current.currency
    return RestartLine(
        total=money(found.cost.total_cents, currency),
        lines=[(line.words, money(line.cents, currency)) for line in found.cost.lines],
        pause_ends_at=found.current.paused_until,
        at=int(found.at.timestamp()),
        cents=found.cost.total_cents,
    )


class PreviewLine(Struct, frozen=True, kw_only=True):
    """What a change means, before it is made."""

    plan: str
    interval: Interval
    price: str
    at_once: bool
    starts_at: datetime
    renews_at: datetime | None
    total: str
    lines: list[tuple[str, str]]
    fewer: list[str]
    at: int
    cents: int


def preview(found: Preview, present: PlanView | None, following: PlanView) -> PreviewLine:
    """`present` is the plan that is left; None when it is not on the price list any more."""
    offer = found.offer
    return PreviewLine(
        plan=following.display_name,
        interval=offer.interval,
        price=_price(offer.amount_cents, offer.currency, offer.interval),
        at_once=found.moment is Moment.NOW,
        starts_at=found.starts_at,
        renews_at=found.renews_at,
        total=money(found.cost.total_cents, offer.currency),
        lines=[(line.words, money(line.cents, offer.currency)) for line in found.cost.lines],
        fewer=_fewer(present.limits, following.limits) if present else [],
        at=int(found.at.timestamp()),
        cents=found.cost.total_cents,
    )


def _fewer(present: PlanLimits, following: PlanLimits) -> list[str]:
    """Limits that are lower than now."""
    return [
        f"{shown(after)} {words}"
        for before, after, words, shown in (
            (present.records, following.records, "records", number),
            (present.users, following.users, "users", number),
            (present.storage_bytes, following.storage_bytes, "of files", bytes_),
        )
        if after is not None and (before is None or after < before)
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
