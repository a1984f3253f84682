"""Figures of the business are what a naive count of the same rows says, and no more certain than so few outcomes allow."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.control_plane_web.figure_fakes import ROWS, prospect, subscribed
from unit.control_plane_web.status_fakes import NOW
from vivero_control.domain.billing.schemas import Interval, SubscriptionStatus
from vivero_control.domain.figures import policies
from vivero_control.domain.figures.policies import GOAL, WEEKS, Prospect, Subscribed, Visits
from vivero_control.domain.figures.schemas import Stage, Tile, Verdict
from vivero_control.domain.figures.service import Rows, rows_of, view_of

HOURS = st.integers(0, 24 * 7 * WEEKS - 24 * 7)
MAYBE = st.one_of(st.none(), st.integers(0, 2000).map(lambda hours: NOW - timedelta(hours=hours)))
PROSPECTS = st.lists(
    st.builds(
        lambda number, hours, confirmed, provisioned, used, paid, source: prospect(
            number,
            hours / 24,
            confirmed_at=confirmed,
            provisioned_at=provisioned,
            first_value_at=used[0],
            active_at=used[1],
            paid_at=paid,
            source=source,
        ),
        st.integers(0, 10**6),
        HOURS,
        MAYBE,
        MAYBE,
        st.tuples(MAYBE, MAYBE),
        MAYBE,
        st.sampled_from(["direct", "newsletter", "blog.example"]),
    ),
    max_size=40,
)
SUBSCRIPTIONS = st.lists(
    st.builds(
        lambda customer, days, status, interval, cents, currency, paid: subscribed(
            customer,
            days,
            status=status,
            interval=interval,
            amount_cents=cents,
            currency=currency,
            paid_until=None if paid is None else NOW + timedelta(days=paid),
        ),
        st.sampled_from("abcdef"),
        st.integers(0, 500),
        st.sampled_from(SubscriptionStatus),
        st.sampled_from(Interval),
        st.integers(0, 10**7),
        st.sampled_from(["EUR", "USD"]),
        st.one_of(st.none(), st.integers(-400, 400)),
    ),
    max_size=30,
)


@given(st.integers(0, 2000), st.integers(0, 2000))
def test_the_interval_holds_the_share_and_is_narrower_with_more(count: int, more: int) -> None:
    found = policies.rate(count, count + more)
    assert 0 <= found.low <= found.high <= 1
    if found.share is None:
        assert (found.of, found.low, found.high) == (0, 0, 1)
        return
    assert (
        found.low <= found.share <= found.high
        or found.share == pytest.approx(found.low)
        or found.share == (pytest.approx(found.high))
    )
    larger = policies.rate(count * 10, (count + more) * 10)
    assert larger.high - larger.low < found.high - found.low


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (50, 200, 0.1951, 0.3143), (10, 10, 0.7225, 1.0)],
)
def test_intervals_are_those_of_the_books(count: int, of: int, low: float, high: float) -> None:
    found = policies.rate(count, of)
    assert found.low == pytest.approx(low, abs=1e-4)
    assert found.high == pytest.approx(high, abs=1e-4)


def test_few_outcomes_say_nothing_about_a_goal() -> None:
    verdicts = [policies.verdict(policies.rate(*one), GOAL) for one in ((0, 0), (3, 10), (0, 8), (0, 30), (80, 200))]
    assert verdicts == [Verdict.TOO_EARLY] * 3 + [Verdict.BELOW, Verdict.ABOVE]


def naive(prospects: list[Prospect], stage: Stage) -> list[Prospect]:
    fields = {
        Stage.CONFIRMED: ("confirmed_at",),
        Stage.PROVISIONED: ("provisioned_at", "paid_at"),
        Stage.FIRST_VALUE: ("first_value_at",),
        Stage.ACTIVE: ("active_at",),
        Stage.PAID: ("paid_at",),
    }
    return [one for one in prospects if stage is Stage.SIGNUP or any(getattr(one, name) for name in fields[stage])]


@given(PROSPECTS, st.lists(st.tuples(st.integers(0, 70), st.integers(0, 1000)), max_size=20))
def test_the_funnel_is_what_a_count_one_by_one_says(prospects: list[Prospect], visits: list[tuple[int, int]]) -> None:
    seen = [Visits(NOW.date() - timedelta(days=back), "direct", "", count) for back, count in visits]
    view = view_of(Rows(prospects, [], seen, NOW))
    assert sum(week.signups for week in view.weeks) == len(prospects)
    assert sum(week.visits for week in view.weeks) == sum(count for _, count in visits)
    for week in view.weeks:
        of_week = [one for one in prospects if week.week <= one.created_at.date() < week.week + timedelta(days=7)]
        assert week.week.weekday() == 0
        assert week.signups == len(of_week)
        for stage, rate in (
            (Stage.CONFIRMED, week.confirmed),
            (Stage.PROVISIONED, week.provisioned),
            (Stage.FIRST_VALUE, week.first_value),
            (Stage.ACTIVE, week.active),
            (Stage.PAID, week.paid),
        ):
            assert (rate.count, rate.of) == (len(naive(of_week, stage)), len(of_week))
    by_source = Counter(one.source for one in prospects)
    assert {one.source: one.signups for one in view.sources if one.signups} == dict(by_source)


@given(PROSPECTS)
def test_every_figure_is_the_number_of_its_rows(prospects: list[Prospect]) -> None:
    rows = Rows(prospects, [], [], NOW)
    view = view_of(rows)
    for week in view.weeks:
        for tile, count in (
            (Tile.SIGNUP, week.signups),
            (Tile.CONFIRMED, week.confirmed.count),
            (Tile.PROVISIONED, week.provisioned.count),
            (Tile.FIRST_VALUE, week.first_value.count),
            (Tile.ACTIVE, week.active.count),
            (Tile.PAID, week.paid.count),
        ):
            assert len(rows_of(tile, week.week, rows)) == count
    assert len(rows_of(Tile.CONVERSION, None, rows)) == view.conversion.rate.of


def test_a_trial_that_still_runs_is_in_no_conversion() -> None:
    def converted(*prospects: Prospect) -> tuple[int, int]:
        found = policies.conversion(prospects, NOW).rate
        return found.count, found.of

    assert converted(prospect(days=36)) == (0, 0), "it may still pay"
    assert converted(prospect(days=37)) == (0, 1)
    assert converted(prospect(days=5, paid_at=NOW)) == (1, 1)
    assert converted(prospect(days=60, trial_ends_at=NOW + timedelta(days=1))) == (0, 0), "it was extended"
    assert converted(prospect(days=40, trial_ends_at=None)) == (0, 1)


@given(PROSPECTS)
def test_trials_are_active_or_not_and_none_is_both(prospects: list[Prospect]) -> None:
    whole = policies.conversion(prospects, NOW).rate
    active, others = policies.by_activity(prospects, NOW)
    assert (active.of + others.of, active.count + others.count) == (whole.of, whole.count)
    known = [one for one in prospects if one.outcome_is_known(NOW)]
    assert active.of == sum(one.active_at is not None for one in known)


def test_the_time_to_first_value_is_that_of_the_one_in_the_middle() -> None:
    def took(*minutes: int | None) -> tuple[int, int | None]:
        found = policies.first_value(
            prospect(days=2, first_value_at=minute and NOW - timedelta(days=2) + timedelta(minutes=minute))
            for minute in minutes
        )
        return found.count, found.median_seconds

    assert took() == took(None) == (0, None)
    assert took(5) == (1, 300)
    assert took(100, None, 5, 7, 2000) == (4, 420)


@pytest.mark.parametrize(
    ("records", "users", "seen"),
    [
        (0, 9, (False, False)),
        (1, 1, (True, False)),
        (20, 1, (True, False)),
        (19, 2, (True, False)),
        (20, 2, (True, True)),
    ],
)
def test_a_workspace_is_active_when_several_people_use_it(records: int, users: int, seen: tuple[bool, bool]) -> None:
    assert (policies.has_first_value(records), policies.is_active(records, users)) == seen


@given(SUBSCRIPTIONS)
def test_revenue_is_what_adding_up_says(subscriptions: list[Subscribed]) -> None:
    found = {one.currency: one for one in policies.money(subscriptions, NOW)}
    totals: dict[str, Fraction] = {}
    customers: dict[str, set[str]] = {}
    for one in subscriptions:
        if one.status in {SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE} and one.created_at <= NOW:
            monthly = Fraction(one.amount_cents, 12 if one.interval is Interval.YEAR else 1)
            totals[one.currency] = totals.get(one.currency, Fraction(0)) + monthly
            customers.setdefault(one.currency, set()).add(one.customer)
    assert set(found) == set(totals)
    for currency, total in totals.items():
        money = found[currency]
        assert money.customers == len(customers[currency])
        assert abs(Fraction(money.mrr_cents) - total) <= Fraction(1, 2)
        assert money.arr_cents == total * 12
        assert abs(Fraction(money.arpa_cents) - total / len(customers[currency])) <= Fraction(1, 2)


@given(SUBSCRIPTIONS)
def test_churn_is_who_paid_then_and_neither_pays_now_nor_is_paused(subscriptions: list[Subscribed]) -> None:
    def pays(customer: str, moment: datetime) -> bool:
        for one in subscriptions:
            if one.customer != customer or one.created_at > moment:
                continue
            ends = None if one.status in {"active", "past_due"} else one.paid_until or one.created_at
            if ends is None or ends > moment:
                return True
        return False

    then = {one for one in "abcdef" if pays(one, NOW - timedelta(days=30))}
    paused = {one.customer for one in subscriptions if one.status == "paused"}
    gone = {one for one in then if not pays(one, NOW) and one not in paused}
    found = policies.churn(subscriptions, NOW).rate
    assert (found.count, found.of) == (len(gone), len(then))
    rows = Rows([], [(one, one.customer) for one in subscriptions], [], NOW)
    assert {row.slug for row in rows_of(Tile.LOST, None, rows)} == gone
    paid = {one.customer for one in subscriptions if one.status in policies.LIVE}
    assert {row.slug for row in rows_of(Tile.PAYING, None, rows)} == paid


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(2020, 1, 1), max_value=datetime(2040, 1, 1)))  # noqa: DTZ001
def test_a_week_begins_on_monday_at_midnight_utc(moment: datetime) -> None:
    begin = policies.monday(moment)
    assert begin.weekday() == 0
    assert timedelta(0) <= moment - datetime(begin.year, begin.month, begin.day, tzinfo=UTC) < timedelta(days=7)
    assert policies.monday(policies.first_shown(moment)) == begin - timedelta(weeks=WEEKS - 1)


@pytest.mark.parametrize(
    ("lead", "source"),
    [
        ({}, ("direct", "")),
        ({"referrer": "blog.example"}, ("blog.example", "")),
        ({"utm_source": "news", "referrer": "blog.example", "utm_campaign": "spring"}, ("news", "spring")),
    ],
)
def test_a_campaign_says_more_than_a_referrer(lead: dict[str, str], source: tuple[str, str]) -> None:
    assert policies.source_of(lead) == source


def test_the_example_is_what_it_says() -> None:
    view = view_of(ROWS)
    (money,) = view.money
    assert (money.customers, money.mrr_cents) == (10, round(9 * 200_000 + 2_000_000 / 12))
    assert (view.churn.rate.count, view.churn.rate.of) == (1, 11)
    assert view.weeks[0].is_open
