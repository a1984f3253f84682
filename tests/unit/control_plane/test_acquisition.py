"""What a customer costs: sums that agree with the rows, and tables as people write them."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.control_plane_web.figure_fakes import prospect
from unit.control_plane_web.status_fakes import NOW
from vivero_control.domain.acquisition import policies, table
from vivero_control.domain.acquisition.schemas import MOST, MOST_CENTS, ChannelCost
from vivero_control.domain.figures.policies import Prospect
from vivero_web.errors import InvalidInputError

MONTHS = [date(2026, month, 1) for month in (6, 9, 10, 11)]
CHANNELS = ["google", "direct", "straße.example"]
costs_drawn = st.lists(
    st.builds(
        ChannelCost,
        month=st.sampled_from(MONTHS),
        channel=st.sampled_from(CHANNELS),
        cents=st.integers(1, 10**9),
        currency=st.sampled_from(["EUR", "USD"]),
    ),
    unique_by=policies.key_of,
    max_size=20,
)
prospects_drawn = st.lists(
    st.builds(
        lambda number, days, source, paid: prospect(number, days, source=source, paid_at=NOW if paid else None),
        st.integers(0, 10**6),
        st.floats(0, 200),
        st.sampled_from(["Google", "google", "direct", "STRAßE.example", "other"]),
        st.booleans(),
    ),
    max_size=40,
)


@given(costs_drawn, prospects_drawn)
def test_a_channel_is_the_sum_of_its_months(costs: list[ChannelCost], prospects: list[Prospect]) -> None:
    channels, months = policies.acquired(costs, prospects, NOW)
    assert len(months) == len(costs)
    assert sum(one.cost_cents for one in channels) == sum(one.cents for one in costs)
    for one in channels:
        mine = [month for month in months if (month.channel, month.currency) == (one.channel, one.currency)]
        for figure in ("cost_cents", "signups", "confirmed", "paid"):
            assert getattr(one, figure) == sum(getattr(month, figure) for month in mine), figure
        assert one.is_open == any(month.is_open for month in mine)
        assert (one.cents_a_customer is None) == (one.paid == 0)
        assert (one.cents_a_signup is None) == (one.signups == 0)
        if one.cents_a_signup is not None:
            assert abs(one.cents_a_signup * one.signups - one.cost_cents) <= one.signups / 2 + 1e-6 * one.cost_cents


@given(costs_drawn, prospects_drawn)
def test_every_figure_is_the_number_of_its_rows(costs: list[ChannelCost], prospects: list[Prospect]) -> None:
    for one in policies.acquired(costs, prospects, NOW)[1]:
        rows = [
            person
            for person in prospects
            if person.created_at.astimezone(UTC).strftime("%Y-%m") == f"{one.month:%Y-%m}"
            and person.source.lower() == one.channel
        ]
        assert one.signups == len(rows) == len(policies.in_month(prospects, one.month, one.channel))
        assert one.paid == sum(person.paid_at is not None for person in rows)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001  Hypothesis wants bounds without
def test_twelve_months_are_shown(now: datetime) -> None:
    since = policies.first_shown(now)
    assert since.day == 1
    apart = (now.year - since.year) * 12 + now.month - since.month
    assert apart == policies.MONTHS - 1


def test_a_month_whose_trials_are_over_is_told_apart_from_one_that_runs() -> None:
    then, now = NOW - timedelta(days=60), NOW
    costs = [ChannelCost(month=policies.month_of(one), channel="direct", cents=100) for one in (then, now)]
    newest, oldest = policies.acquired(costs, [prospect(1, 60), prospect(2, 1)], NOW)[1]
    assert (newest.is_open, oldest.is_open) == (True, False)


@given(st.integers(0, MOST_CENTS))
@pytest.mark.parametrize(
    "notation", ["{whole}.{cents:02}", "{whole},{cents:02}", "{whole:,}.{cents:02}", "€ {whole:,}.{cents:02}"]
)
def test_an_amount_is_read_as_it_was_written(notation: str, amount: int) -> None:
    assert table.cents(notation.format(whole=amount // 100, cents=amount % 100)) == amount


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("1.234,50", 123_450),
        ("1 234,50", 123_450),
        ("1\u202f234,5", 123_450),
        ("1'234.50", 123_450),
        ("1,234,567", 123_456_700),
        ("12", 1_200),
        ("EUR 12.5", 1_250),
        ("0", 0),
    ],
)
def test_notations(text: str, cents: int) -> None:
    assert table.cents(text) == cents


@pytest.mark.parametrize(
    "text", ["1,234", "1.234", "", "x", "-1", "1.2.3", "1,23,456", "١٢", "1e5", "=1+1", "9" * 30, "1..2", "12.345,6,7"]
)
def test_what_is_no_amount_or_two_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        table.cents(text)


@given(costs_drawn.filter(bool))
def test_a_table_that_was_written_is_read_as_the_same(costs: list[ChannelCost]) -> None:
    assert list(table.read(table.written(costs))) == costs


@pytest.mark.parametrize(
    "text",
    [
        "month,channel,amount\n2026-11,Google,12.50",
        "\ufeffmonth;channel;amount\r\n2026-11;google;12,50\r\n",
        "2026-11\tgoogle\t12,50\tEUR",
        "11/2026,google,12.50,eur",
        "Channel,Amount,Month\nGOOGLE,12.50,2026-11-17\n\n",
        '2026-11,"google","12.50"',
    ],
)
def test_a_table_is_read_as_people_paste_it(text: str) -> None:
    assert table.read(text) == (ChannelCost(month=date(2026, 11, 1), channel="google", cents=1_250),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ["at least one line"]),
        ("month,channel\n2026-11,x", ["lacks the column amount"]),
        ("2026-11,google,1\n2026-13,google,1\n2026-11,,1", ["Line 2: Give the month", "Line 3: Name the channel"]),
        ("2026-11,google,1,Euros", ["Line 1: Give the currency"]),
        ("month,channel,amount\n2026-11,google,1.234", ["Line 2: 1.234 can be read in two ways"]),
        ("\n".join(["2026-11,google,1"] * (MOST + 1)), ["at most 500"]),
        ('2026-11,"google,1', ["This is no table"]),
    ],
)
def test_what_is_wrong_is_said_by_line(text: str, said: Sequence[str]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        table.read(text)
    assert len(caught.value.errors) == len(said)
    for error, words in zip(caught.value.errors, said, strict=True):
        assert error.field == "table"
        assert words in error.message


@given(st.text(max_size=300))
def test_any_text_is_a_table_or_is_refused(text: str) -> None:
    with suppress(InvalidInputError):
        found = table.read(text)
        assert table.read(table.written(found)) == found


def test_a_table_names_each_month_and_channel_once() -> None:
    one = ChannelCost(month=date(2026, 11, 1), channel="google", cents=1)
    other = ChannelCost(month=date(2026, 11, 2), channel="Google", cents=1)
    found = policies.problems([one, one, other, ChannelCost(month=one.month, channel="a\u200bb", cents=1)])
    assert [error.field for error in found] == ["costs[1]", "costs[2].month", "costs[2].channel", "costs[3].channel"]


def test_only_what_differs_is_a_change() -> None:
    said = [ChannelCost(month=MONTHS[0], channel=name, cents=cents) for name, cents in (("a", 1), ("b", 2), ("c", 0))]
    known = {policies.key_of(said[0]): 1, policies.key_of(said[1]): 5}
    (change,) = policies.changes(said, known)
    assert (change.cost, change.before) == (said[1], 5)
