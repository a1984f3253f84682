from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vivero_ui.filters import bytes_, date, datetime_, duration, euro, iso, local, number, second, with_query


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (999, "999"), (10_000, "10,000"), (-1234, "-1,234"), (1234.5, "1,234.5"), (None, "Unlimited")],
)
def test_number(value: float | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("cents", "text"),
    [(0, "€0"), (200_000, "€2,000"), (1_500_000, "€15,000"), (1999, "€19.99"), (5, "€0.05"), (-150, "-€1.50")],
)
def test_euro(cents: int, text: str) -> None:
    assert euro(cents) == text


@given(st.integers(min_value=-(10**12), max_value=10**12))
def test_euro_says_every_cent(cents: int) -> None:
    digits = euro(cents).replace("€", "").replace(",", "")
    assert round(float(digits) * 100) == cents


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (1_572_864, "1.5 MiB"),
        (1_048_575, "1 MiB"),
        (50 * 1024**3, "50 GiB"),
        (10 * 1024**4, "10 TiB"),
        (2**63, "8192 PiB"),
        (None, "Unlimited"),
    ],
)
def test_bytes(value: int | None, text: str) -> None:
    assert bytes_(value) == text


@given(st.integers(min_value=0, max_value=10**17))
def test_bytes_stay_within_a_rounding_of_the_value(value: int) -> None:
    amount, unit = bytes_(value).split()
    size = 1024 ** ("B", "KiB", "MiB", "GiB", "TiB", "PiB").index(unit)
    assert abs(float(amount) * size - value) <= 0.06 * size
    assert float(amount) < 1024


def test_times_are_said_in_utc() -> None:
    berlin = timezone(timedelta(hours=1))
    moment = datetime(2026, 11, 7, 15, 3, 9, 123_456, tzinfo=berlin)
    assert datetime_(moment) == "7 Nov 2026, 14:03 UTC"
    assert local(moment) == "2026-11-07T14:03:09"
    assert second(moment) == "7 Nov 2026, 14:03:09 UTC"
    assert date(moment) == "7 Nov 2026"
    assert iso(moment) == "2026-11-07T14:03:09.123Z"


def test_a_naive_time_is_utc() -> None:
    moment = datetime(2026, 11, 7, 14, 3, tzinfo=UTC)
    assert iso(moment.replace(tzinfo=None)) == iso(moment)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.0, "0.00 s"),
        (3, "3 s"),
        (0.42, "0.42 s"),
        (59.994, "59.99 s"),
        (60, "1 min"),
        (75, "1 min 15 s"),
        (7260, "2 h 1 min"),
        (86_400, "1 d"),
        (90_000, "1 d 1 h"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_with_query_sets_and_removes() -> None:
    address = "https://host/staff/tenants?q=a%26b&page=3&sort=name"
    assert with_query(address, {"page": None, "sort": "-name"}) == "/staff/tenants?q=a%26b&sort=-name"


@given(st.text(max_size=50), st.text(min_size=1, max_size=50))
def test_with_query_carries_any_words(old: str, new: str) -> None:
    address = with_query(with_query("/t?x=1", {"q": old}), {"q": new})
    assert parse_qs(urlsplit(address).query)["q"] == [new]
    assert parse_qs(urlsplit(address).query)["x"] == ["1"]
