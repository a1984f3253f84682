"""What the figures of the business are, by rows. Pure, the time passed in: each figure and its rows are one function."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import sqrt
from statistics import median_low
from typing import Final

from vivero_control.domain.billing.schemas import Interval, SubscriptionStatus
from vivero_control.domain.figures.schemas import (
    Churn,
    Conversion,
    FirstValue,
    Money,
    Rate,
    SourceView,
    Stage,
    Verdict,
    WeekView,
)

WEEKS: Final = 12
"""That are shown, the present one included."""
GOAL: Final = 0.25
"""Of trials that become customers."""
CHURN_DAYS: Final = 30
TRIAL: Final = timedelta(days=30)
"""Of a signup whose trial has no end that is known."""
LATE_PAYMENT: Final = timedelta(days=7)
"""A trial that is over may still be paid within these days; only then is its outcome known."""
ACTIVE_RECORDS: Final = 20
ACTIVE_USERS: Final = 2
DIRECT: Final = "direct"
_Z: Final = 1.959964  # of 95 % in the middle of a normal distribution
_MONTHS: Final = 12
LIVE: Final = frozenset({SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE})
"""Of subscriptions that are paid: after a failed payment the provider tries again, and access stays. A paused one brings
nothing in, and is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """A signup, and how far it has come."""

    id: str
    company: str
    email: str
    slug: str
    created_at: datetime
    trial_ends_at: datetime | None
    confirmed_at: datetime | None
    provisioned_at: datetime | None
    first_value_at: datetime | None
    active_at: datetime | None
    paid_at: datetime | None
    source: str
    campaign: str

    def reached(self, stage: Stage) -> bool:
        """Who has paid has had a workspace, whether or not it was seen."""
        return {
            Stage.SIGNUP: True,
            Stage.CONFIRMED: self.confirmed_at is not None,
            Stage.PROVISIONED: self.provisioned_at is not None or self.paid_at is not None,
            Stage.FIRST_VALUE: self.first_value_at is not None,
            Stage.ACTIVE: self.active_at is not None,
            Stage.PAID: self.paid_at is not None,
        }[stage]

    def outcome_is_known(self, now: datetime) -> bool:
        """Whether it has paid, or its trial has been over for long enough."""
        ends = self.trial_ends_at or self.created_at + TRIAL
        return self.paid_at is not None or ends + LATE_PAYMENT <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribed:
    """A subscription of a customer; `paid_until` is the end of its last paid period, None without one."""

    customer: str
    status: SubscriptionStatus
    interval: Interval
    amount_cents: int
    currency: str
    created_at: datetime
    paid_until: datetime | None

    def is_paid_at(self, moment: datetime) -> bool:
        """One that has ended was paid until the end of its last paid period."""
        if moment < self.created_at:
            return False
        return self.status in LIVE or (self.paid_until is not None and moment < self.paid_until)

    @property
    def yearly_cents(self) -> int:
        return self.amount_cents * (1 if self.interval is Interval.YEAR else _MONTHS)


@dataclass(frozen=True, slots=True)
class Visits:
    """Page loads of one day by where they came from."""

    day: date
    source: str
    campaign: str
    count: int


def rate(count: int, of: int) -> Rate:
    """With Wilson's interval, which holds for few and for shares near 0 and 1, too."""
    if not of:
        return Rate(of=0, count=0, share=None, low=0.0, high=1.0)
    share, square = count / of, _Z**2
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = _Z * sqrt(share * (1 - share) / of + square / (4 * of**2)) / (1 + square / of)
    return Rate(of=of, count=count, share=share, low=max(0.0, middle - half), high=min(1.0, middle + half))


def verdict(found: Rate, goal: float) -> Verdict:
    if found.low > goal:
        return Verdict.ABOVE
    return Verdict.BELOW if found.high < goal else Verdict.TOO_EARLY


def monday(moment: datetime) -> date:
    """Of the week in which it is, in UTC."""
    day = moment.astimezone(UTC).date()
    return day - timedelta(days=day.weekday())


def first_shown(now: datetime) -> datetime:
    """The beginning of the weeks that are shown."""
    return datetime.combine(monday(now) - timedelta(weeks=WEEKS - 1), time(), tzinfo=UTC)


def in_week(prospects: Iterable[Prospect], week: date | None) -> list[Prospect]:
    """Those that signed up in the week of this Monday; all without one."""
    return [one for one in prospects if week is None or monday(one.created_at) == week]


def at_stage(prospects: Iterable[Prospect], stage: Stage) -> list[Prospect]:
    return [one for one in prospects if one.reached(stage)]


def decided(prospects: Iterable[Prospect], now: datetime) -> list[Prospect]:
    """Trials whose outcome is known."""
    return [one for one in prospects if one.outcome_is_known(now)]


def weeks(prospects: Sequence[Prospect], visits: Iterable[Visits], now: datetime) -> tuple[WeekView, ...]:
    seen: Counter[date] = Counter()
    for one in visits:
        seen[one.day - timedelta(days=one.day.weekday())] += one.count
    newest = monday(now)
    return tuple(
        _week(week, in_week(prospects, week), seen[week], now)
        for week in (newest - timedelta(weeks=back) for back in range(WEEKS))
    )


def _week(week: date, prospects: Sequence[Prospect], visits: int, now: datetime) -> WeekView:
    def of(stage: Stage) -> Rate:
        return rate(len(at_stage(prospects, stage)), len(prospects))

    return WeekView(
        week=week,
        visits=visits,
        signups=len(prospects),
        confirmed=of(Stage.CONFIRMED),
        provisioned=of(Stage.PROVISIONED),
        first_value=of(Stage.FIRST_VALUE),
        active=of(Stage.ACTIVE),
        paid=of(Stage.PAID),
        is_open=len(decided(prospects, now)) < len(prospects),
    )


def conversion(prospects: Iterable[Prospect], now: datetime) -> Conversion:
    """By trials, and not by calendar months, in which one would count those that cannot have paid yet."""
    known = decided(prospects, now)
    found = paid_of(known)
    return Conversion(rate=found, goal=GOAL, verdict=verdict(found, GOAL))


def paid_of(prospects: Sequence[Prospect]) -> Rate:
    return rate(len(at_stage(prospects, Stage.PAID)), len(prospects))


def by_activity(prospects: Iterable[Prospect], now: datetime) -> tuple[Rate, Rate]:
    """Who has paid, of trials whose outcome is known: of those that were active, and of the others."""
    known = decided(prospects, now)
    active = at_stage(known, Stage.ACTIVE)
    return paid_of(active), paid_of([one for one in known if not one.reached(Stage.ACTIVE)])


def first_value(prospects: Iterable[Prospect]) -> FirstValue:
    took = [
        int((one.first_value_at - one.created_at).total_seconds())
        for one in prospects
        if one.first_value_at is not None
    ]
    return FirstValue(count=len(took), median_seconds=median_low(took) if took else None)


def has_first_value(records: int) -> bool:
    return records > 0


def is_active(records: int, users: int) -> bool:
    return records >= ACTIVE_RECORDS and users >= ACTIVE_USERS


def sources(prospects: Iterable[Prospect], visits: Iterable[Visits]) -> tuple[SourceView, ...]:
    """The most signups first, then the most visits."""
    seen: Counter[tuple[str, str]] = Counter()
    signups: Counter[tuple[str, str]] = Counter()
    paid: Counter[tuple[str, str]] = Counter()
    for visit in visits:
        seen[visit.source, visit.campaign] += visit.count
    for one in prospects:
        signups[one.source, one.campaign] += 1
        paid[one.source, one.campaign] += one.reached(Stage.PAID)
    names = sorted({*seen, *signups}, key=lambda name: (-signups[name], -seen[name], name))
    return tuple(
        SourceView(source=name[0], campaign=name[1], visits=seen[name], signups=signups[name], paid=paid[name])
        for name in names
    )


def source_of(lead: Mapping[str, str]) -> tuple[str, str]:
    """Where a visit or signup came from, and by which campaign; of what is kept of a lead."""
    return lead.get("utm_source") or lead.get("referrer") or DIRECT, lead.get("utm_campaign", "")


def money(subscriptions: Iterable[Subscribed], now: datetime) -> tuple[Money, ...]:
    """By currency; the customer with two subscriptions is one."""
    paid = [one for one in subscriptions if one.status in LIVE and one.is_paid_at(now)]
    return tuple(
        _money(currency, [one for one in paid if one.currency == currency])
        for currency in sorted({one.currency for one in paid})
    )


def _money(currency: str, paid: Sequence[Subscribed]) -> Money:
    yearly, customers = sum(one.yearly_cents for one in paid), len({one.customer for one in paid})
    return Money(
        currency=currency,
        customers=customers,
        mrr_cents=round(yearly / _MONTHS),
        arr_cents=yearly,
        arpa_cents=round(yearly / _MONTHS / customers),
    )


def paying(subscriptions: Iterable[Subscribed], moment: datetime) -> set[str]:
    """Customers who pay at a moment."""
    return {one.customer for one in subscriptions if one.is_paid_at(moment)}


def lost(subscriptions: Sequence[Subscribed], now: datetime) -> tuple[set[str], set[str]]:
    """Customers who paid CHURN_DAYS ago, and those of them who do not now; who is paused will pay again, and is not lost."""
    then = paying(subscriptions, now - timedelta(days=CHURN_DAYS))
    paused = {one.customer for one in subscriptions if one.status is SubscriptionStatus.PAUSED}
    return then, then - paying(subscriptions, now) - paused


def churn(subscriptions: Sequence[Subscribed], now: datetime) -> Churn:
    then, gone = lost(subscriptions, now)
    return Churn(rate=rate(len(gone), len(then)), days=CHURN_DAYS)
