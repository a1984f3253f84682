from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vivero_data.web import format as fmt

NOW = datetime(2026, 11, 22, 15, 41, 39, tzinfo=UTC)


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1 KB"),
        (1_240, "1.2 KB"),
        (9_960, "10 KB"),
        (94_400_000, "94 MB"),
        (999_950, "1 MB"),
        (10**15, "1 PB"),
        (5 * 10**18, "5000 PB"),
    ],
)
def test_sizes_in_decimal_units(size: int, words: str) -> None:
    assert fmt.filesize(size) == words


@given(st.integers(min_value=0, max_value=10**17))
def test_a_size_never_needs_four_digits_before_its_unit(size: int) -> None:
    assert float(fmt.filesize(size).split(" ")[0]) < 1000


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(seconds=-30), "just now"),
        (timedelta(minutes=1), "1 min ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"),
        (timedelta(hours=1), "1 hour ago"),
        (timedelta(hours=23), "23 hours ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=6), "6 days ago"),
        (timedelta(days=7), "15 Nov 2026"),
        (timedelta(days=-3), "25 Nov 2026"),
    ],
)
def test_relative_times(ago: timedelta, words: str) -> None:
    assert fmt.relative(NOW - ago, NOW) == words


def test_a_time_without_zone_is_utc() -> None:
    assert fmt.exact(datetime(2026, 11, 2, 5, 4, 3)) == "2 Nov 2026, 05:04:03 UTC"  # noqa: DTZ001  the database's way


@pytest.mark.parametrize(
    ("end", "days"), [(timedelta(days=30), 30), (timedelta(hours=1), 1), (timedelta(0), 0), (timedelta(days=-4), 0)]
)
def test_days_left_counts_a_begun_day(end: timedelta, days: int) -> None:
    assert fmt.days_left(NOW + end, NOW) == days


@given(st.integers(min_value=0), st.integers(min_value=0))
def test_percent_stays_within_its_bounds(used: int, limit: int) -> None:
    assert 0 <= fmt.percent(used, limit) <= 100


@pytest.mark.parametrize(
    ("used", "limit", "name"),
    [(5, None, "ok"), (79, 100, "ok"), (80, 100, "warning"), (100, 100, "error"), (0, 0, "error")],
)
def test_meter_levels(used: int, limit: int | None, name: str) -> None:
    assert fmt.level(used, limit) == name


def test_cells() -> None:
    assert [fmt.cell(value) for value in (None, True, False, 1234, Decimal("12.50"), ["a", 2], "x")] == [
        "",
        "Yes",
        "No",
        "1,234",
        "12.50",
        "a, 2",
        "x",
    ]


def test_plural() -> None:
    assert (fmt.plural(1, "record"), fmt.plural(12000, "record"), fmt.plural(0, "entry", "entries")) == (
        "1 record",
        "12,000 records",
        "0 entries",
    )
