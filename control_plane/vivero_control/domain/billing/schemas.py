"""What is known of a customer's payments. Amounts are cents of a currency, moments are UTC to the second."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

from vivero_control.domain.tenants.schemas import Reason

MOST_MONTHS: Final = 3
"""Of a pause."""


class SubscriptionStatus(StrEnum):
    """In the provider's words."""

    INCOMPLETE = "incomplete"
    """The first payment is still to be made."""
    INCOMPLETE_EXPIRED = "incomplete_expired"
    """It was not made in time."""
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    """A payment failed, and the provider tries again."""
    UNPAID = "unpaid"
    """The provider has given up trying."""
    PAUSED = "paused"
    """Nothing is charged and the workspace is closed, as its owner wanted; the provider itself goes on calling it active."""
    CANCELED = "canceled"


class Interval(StrEnum):
    """How long one period is."""

    MONTH = "month"
    YEAR = "year"


class Subscription(Struct, frozen=True, kw_only=True):
    """What a customer has agreed to pay, as the provider has it."""

    id: Annotated[str, Meta(description="The provider's name for it.")]
    status: SubscriptionStatus
    plan: Annotated[str, Meta(description="Name of the plan that it pays for.")]
    interval: Interval
    amount_cents: Annotated[int, Meta(description="For one period.")]
    currency: Annotated[str, Meta(description="Of the amount, such as `EUR`.")]
    period_start: Annotated[datetime, Meta(description="Of the period that is paid or to be paid now.")]
    period_end: Annotated[datetime, Meta(description="When it is renewed, or ends.")]
    ends_with_period: Annotated[bool, Meta(description="Canceled, and good until the end of the period.")]
    next_plan: Annotated[
        str | None,
        Meta(description="The plan that begins with the next period, whose amount is given then; else null."),
    ] = None
    paused_from: Annotated[
        datetime | None, Meta(description="When the pause that was agreed on begins or has begun; else null.")
    ] = None
    paused_until: Annotated[
        datetime | None, Meta(description="When that pause ends by itself, and the next period is charged; else null.")
    ] = None
    created_at: Annotated[datetime, Meta(description="When it was made.")]


class InvoiceStatus(StrEnum):
    """In the provider's words."""

    DRAFT = "draft"
    OPEN = "open"
    PAID = "paid"
    UNCOLLECTIBLE = "uncollectible"
    VOID = "void"


class InvoiceKind(StrEnum):
    """What an invoice is for."""

    FIRST = "first"
    RENEWAL = "renewal"
    CHANGE = "change"
    """The rest of a period after a change of plan."""
    OTHER = "other"
    """Made by hand at the provider."""


class Invoice(Struct, frozen=True, kw_only=True):
    """An invoice as the provider has it."""

    id: Annotated[str, Meta(description="The provider's name for it.")]
    number: Annotated[str | None, Meta(description="As printed on it; null for a draft.")]
    subscription: Annotated[str | None, Meta(description="What it is for; null when it was made by hand.")]
    status: InvoiceStatus
    kind: InvoiceKind
    total_cents: Annotated[int, Meta(description="With tax; below 0 for a credit.")]
    paid_cents: Annotated[int, Meta(description="Of the total.")]
    currency: Annotated[str, Meta(description="Of the amounts, such as `EUR`.")]
    period_start: Annotated[datetime, Meta(description="Of the time that it charges for.")]
    period_end: Annotated[datetime, Meta(description="Of the time that it charges for.")]
    created_at: Annotated[datetime, Meta(description="When it was made.")]
    page_url: Annotated[
        str | None, Meta(description="The provider's page with the invoice and, while open, its payment.")
    ]
    pdf_url: Annotated[str | None, Meta(description="The invoice as a file.")]


class PauseOrder(Struct, frozen=True, kw_only=True):
    """Pause a plan from the end of its period on."""

    reason: Reason
    months: Annotated[int, Meta(ge=1, le=MOST_MONTHS, description="How long.")]
    starts_at: Annotated[datetime, Meta(tz=True, description="When it begins: the end of the subscription's period.")]


class TakePauseBack(Struct, frozen=True, kw_only=True):
    """A pause that has not begun does not happen."""

    reason: Reason


class FoundDifference(Struct, frozen=True, kw_only=True):
    """What the hourly comparison with the provider has found at a customer."""

    tenant: Annotated[str, Meta(description="The Tenant that is paid for, by the name it had at the first order.")]
    what: Annotated[str, Meta(description="Such as `charged-twice` or `access`.")]
    detail: Annotated[str, Meta(description="Names of what differed.")]
    for_people: Annotated[bool, Meta(description="Whether a person has to mend it; else it is mended already.")]
    found_at: Annotated[datetime, Meta(description="When it was found.")]


class DifferenceList(Struct, frozen=True, kw_only=True):
    """The newest, and how many there are."""

    items: Annotated[tuple[FoundDifference, ...], Meta(description="The newest first.")]
    total: Annotated[int, Meta(description="All that were found and are kept.")]


class Account(Struct, frozen=True, kw_only=True):
    """All that the provider has of one customer, as of one moment."""

    subscriptions: tuple[Subscription, ...] = ()
    invoices: tuple[Invoice, ...] = ()
