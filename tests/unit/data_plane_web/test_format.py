from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from vivero_data.web import format as fmt
from vivero_ui.filters import plural

NOW = datetime(2026, 11, 22, 15, 41, 39, tzinfo=UTC)


def test_a_time_without_zone_is_utc() -> None:
    assert fmt.aware(NOW.replace(tzinfo=None)) == NOW
    assert fmt.aware(NOW.astimezone(timezone(timedelta(hours=2)))) == NOW


@pytest.mark.parametrize(
    ("end", "days"), [(timedelta(days=30), 30), (timedelta(hours=1), 1), (timedelta(0), 0), (timedelta(days=-4), 0)]
)
def test_days_left_counts_a_begun_day(end: timedelta, days: int) -> None:
    assert fmt.days_left(NOW + end, NOW) == days


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
        "1\u202f234",
        "12.50",
        "a, 2",
        "x",
    ]


def test_plural() -> None:
    assert (plural(1, "record"), plural(12000, "record"), plural(0, "entry", "entries")) == (
        "1 record",
        "12,000 records",
        "0 entries",
    )
