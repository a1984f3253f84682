"""When a subscription can be paused, from when to when, and what can be done with a pause. No I/O.

A pause begins where the time ends that is paid, and ends with a period: what is charged and when the workspace is open
are the same whole months.
"""

import calendar
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from msgspec import Struct

from vivero_control.domain.billing.change_rules import hindrance as hindrance_of_change
from vivero_control.domain.billing.errors import ChangeNotPossibleError
from vivero_control.domain.billing.provider import Cost
from vivero_control.domain.billing.schemas import (
    MOST_MONTHS,
    Interval,
    Invoice,
    InvoiceStatus,
    Subscription,
    SubscriptionStatus,
)

_A_YEAR: Final = (
    "A plan that is paid by the year cannot be paused: its time is paid. Cancel it, and choose a plan again later."
)
_OWED: Final = "An invoice is not paid yet. Pause when it is."
_MONTHS_OF_A_YEAR: Final = 12


class Pause(Struct, frozen=True, kw_only=True):
    """A pause before it is agreed on: nothing is charged and the workspace is closed between these moments."""

    months: int
    starts_at: datetime
    ends_at: datetime


class Restart(Struct, frozen=True, kw_only=True):
    """The end of a pause before it is agreed on: its cost at once, and the moment that it was looked at."""

    current: Subscription
    at: datetime
    cost: Cost


def pause(current: Subscription, months: int) -> Pause:
    """Of so many periods of a subscription that is paid by the month."""
    return Pause(months=months, starts_at=current.period_end, ends_at=_months_after_period(current, months))


def pauses(current: Subscription) -> tuple[Pause, ...]:
    """All that can be chosen, the shortest first."""
    return tuple(pause(current, months) for months in range(1, MOST_MONTHS + 1))


def _months_after_period(current: Subscription, months: int) -> datetime:
    """On the day of the month on which the subscription is renewed, or the last of a month that has no such day.

    No two months in a row are that short, so one of the period's ends is on that day.
    """
    end = current.period_end
    day = max(current.period_start.day, end.day)
    years, month = divmod(end.month - 1 + months, _MONTHS_OF_A_YEAR)
    year = end.year + years
    return end.replace(year=year, month=month + 1, day=min(day, calendar.monthrange(year, month + 1)[1]))


def hindrance(current: Subscription, invoices: Iterable[Invoice]) -> str | None:
    """What comes before a pause, in a sentence; None if it can be agreed on now.

    An invoice of the present period that is not paid yet would become void with the pause.
    """
    if sentence := hindrance_of_change(current):
        return sentence
    if current.interval is Interval.YEAR:
        return _A_YEAR
    waits = {InvoiceStatus.DRAFT, InvoiceStatus.OPEN}
    return _OWED if any(one.subscription == current.id and one.status in waits for one in invoices) else None


def check_pausable(current: Subscription | None, invoices: Iterable[Invoice]) -> Subscription:
    """The subscription, if a pause can be agreed on now. Raises ChangeNotPossibleError, saying what comes first."""
    if current is None:
        raise ChangeNotPossibleError("There is no plan to pause.")
    if sentence := hindrance(current, invoices):
        raise ChangeNotPossibleError(sentence)
    return current


def is_planned(current: Subscription | None) -> bool:
    """Whether a pause is agreed on that has not begun."""
    return current is not None and current.paused_from is not None and current.status is not SubscriptionStatus.PAUSED


def check_paused(current: Subscription | None) -> Subscription:
    """The subscription, if its pause has begun and can be ended. Raises ChangeNotPossibleError."""
    if current is None or current.status is not SubscriptionStatus.PAUSED:
        raise ChangeNotPossibleError("The plan is not paused.")
    if current.ends_with_period:
        raise ChangeNotPossibleError("This plan is canceled. Take the cancellation back first.")
    return current
