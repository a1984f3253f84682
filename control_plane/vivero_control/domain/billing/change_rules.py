"""Which change of a subscription is possible, when it takes effect, and what of it is looked at before. No I/O."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

from vivero_control.domain.billing.errors import ChangeNotPossibleError
from vivero_control.domain.billing.provider import Cost, Offer
from vivero_control.domain.billing.schemas import Interval, Subscription, SubscriptionStatus

PREVIEW_FOR: Final = timedelta(minutes=30)
"""How long the cost that was shown can be agreed to."""
MONTHS: Final = {Interval.MONTH: 1, Interval.YEAR: 12}
_UNPAID: Final = "Only a plan that is paid can be changed."


class Moment(StrEnum):
    """When a change takes effect."""

    NOW = "now"
    """The rest of the period is charged at once, and what was paid for it is credited."""
    PERIOD_END = "period-end"
    """What is paid stays until it is used up."""


class Preview(Struct, frozen=True, kw_only=True):
    """A change before it is made.

    Attributes:
        at: the moment that the cost is reckoned from; with it the change costs the same to the cent.
        cost: at once.
        starts_at: when the new plan begins.
        renews_at: when its price is charged next; None where a period of its own begins now.
    """

    offer: Offer
    moment: Moment
    at: datetime
    cost: Cost
    starts_at: datetime
    renews_at: datetime | None


def moment_of(current: Subscription, offer: Offer) -> Moment | None:
    """When this change would take effect; None for one that is none, or not made in one step.

    A larger plan is there at once. From a year to months there is no step: what is paid for the year is used up first.
    """
    same_interval = current.interval is offer.interval
    if (same_interval and current.plan == offer.plan) or current.currency != offer.currency:
        return None
    if MONTHS[offer.interval] < MONTHS[current.interval]:
        return None
    now_a_month = current.amount_cents * MONTHS[offer.interval]
    then_a_month = offer.amount_cents * MONTHS[current.interval]
    if then_a_month >= now_a_month:
        return Moment.NOW
    return Moment.PERIOD_END if same_interval else None


def hindrance(current: Subscription) -> str | None:
    """What comes before the plan can be changed, in a sentence; None if it can be changed now."""
    if current.paused_from is not None:
        return "A pause is agreed on. Take it back or end it first."
    if current.status is not SubscriptionStatus.ACTIVE:
        return _UNPAID
    if current.ends_with_period:
        return "This plan is canceled. Take the cancellation back first."
    return None if current.next_plan is None else "A change is planned already. Take it back first."


def check_changeable(current: Subscription | None) -> Subscription:
    """The subscription, if its plan can be changed now.

    Raises:
        ChangeNotPossibleError: saying what comes first.
    """
    if current is None:
        raise ChangeNotPossibleError(_UNPAID)
    if sentence := hindrance(current):
        raise ChangeNotPossibleError(sentence)
    return current


def reckoned_at(current: Subscription, now: datetime) -> datetime:
    """The whole second, within the period, from which a change made now is reckoned."""
    last = current.period_end - timedelta(seconds=1)
    return max(current.period_start, min(now.replace(microsecond=0), last))


def may_be_agreed_to(current: Subscription, at: datetime, now: datetime) -> bool:
    """Whether a cost that was reckoned from `at` still holds: it was shown just now. A later moment would be cheaper."""
    latest = reckoned_at(current, now)
    return latest - PREVIEW_FOR <= at <= latest and at == reckoned_at(current, at)
