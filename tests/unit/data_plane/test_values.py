import contextlib
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.data_plane.builders import field
from vivero_data.domain.collections.schemas import parse, present
from vivero_data.domain.field_types.kind import InvalidValueError
from vivero_data.domain.field_types.number import plain
from vivero_data.domain.field_types.registry import FieldType as T

GOOD: list[tuple[T, Any, Any]] = [
    (T.TEXT, "Ada", "Ada"),
    (T.TEXT, "x" * 255, "x" * 255),
    (T.TEXT, "'; DROP TABLE users; --", "'; DROP TABLE users; --"),
    (T.LONG_TEXT, "a\nb\t🌱", "a\nb\t🌱"),
    (T.NUMBER, "0.10", Decimal("0.1")),
    (T.NUMBER, Decimal("0.1"), Decimal("0.1")),
    (T.NUMBER, Decimal("0e1000000"), Decimal(0)),
    (T.NUMBER, " 1.234 ", Decimal("1.234")),
    (T.NUMBER, -7, Decimal(-7)),
    (T.NUMBER, "-9999999999999999.99999999", Decimal("-9999999999999999.99999999")),
    (T.INTEGER, 2**63 - 1, 2**63 - 1),
    (T.INTEGER, " -5 ", -5),
    (T.INTEGER, Decimal("1e3"), 1000),
    (T.INTEGER, "1e3", 1000),
    (T.BOOLEAN, True, True),
    (T.BOOLEAN, "false", False),
    (T.DATE, "2026-12-31", date(2026, 12, 31)),
    (T.DATETIME, "2026-12-31T12:00:00+02:00", datetime(2026, 12, 31, 10)),  # noqa: DTZ001  as it is stored
    (T.DATETIME, "2026-12-31T12:00:00Z", datetime(2026, 12, 31, 12)),  # noqa: DTZ001  as it is stored
    (T.CHOICE, "red", "red"),
    (T.EMAIL, "ada@example.com", "ada@example.com"),
    (T.URL, "https://example.com/a?b=c#d", "https://example.com/a?b=c#d"),
    (T.MONEY, "0.10", Decimal("0.10")),
    (T.MONEY, "EUR 12.5", Decimal("12.5")),
    (T.MONEY, " \u20ac -1234.56 ", Decimal("-1234.56")),
    (T.MONEY, -7, Decimal(-7)),
    (T.AUTONUMBER, "INV-00017", 17),
    (T.LINK, 17, 17),
    (T.LINK, "17", 17),
    (T.LINK, "Acme #3 GmbH #17", 17),
    (T.LINK, {"id": 17, "title": "Acme"}, 17),
    (T.PERSON, {"id": 17}, 17),
    (T.AUTONUMBER, "inv-17", 17),
    (T.AUTONUMBER, "17", 17),
    (T.AUTONUMBER, 17, 17),
    (T.CHOICES, ["red"], '["red"]'),
    (T.CHOICES, ["green", "red", "red"], '["red","green"]'),
    (T.CHOICES, " green , red", '["red","green"]'),
]
BAD: list[tuple[T, Any]] = [
    (T.TEXT, 7),
    (T.TEXT, "x" * 256),
    (T.TEXT, "a\nb"),
    (T.TEXT, "a\x00b"),
    (T.TEXT, "\ud800"),
    (T.TEXT, ["a"]),
    (T.LONG_TEXT, "x" * 16_001),
    (T.LONG_TEXT, "\x1b[31m"),
    (T.NUMBER, True),
    (T.NUMBER, "twelve"),
    (T.NUMBER, 12.5),
    (T.NUMBER, "1,5"),
    (T.NUMBER, "1_000"),
    (T.NUMBER, "NaN"),
    (T.NUMBER, Decimal("NaN")),
    (T.NUMBER, Decimal("-Infinity")),
    (T.NUMBER, Decimal("1e1000000")),
    (T.NUMBER, Decimal("1e-1000000")),
    (T.NUMBER, "1e" + "9" * 30),
    (T.NUMBER, 10**4000),
    (T.NUMBER, "Infinity"),
    (T.NUMBER, "1e16"),
    (T.NUMBER, "0.000000001"),
    (T.NUMBER, {}),
    (T.INTEGER, 1.0),
    (T.INTEGER, Decimal("1.5")),
    (T.INTEGER, Decimal("NaN")),
    (T.INTEGER, Decimal("Infinity")),
    (T.INTEGER, Decimal("1e1000000")),
    (T.INTEGER, Decimal("1e-1000000")),
    (T.INTEGER, True),
    (T.INTEGER, 2**63),
    (T.INTEGER, "9" * 5000),
    (T.BOOLEAN, 1),
    (T.BOOLEAN, "yes"),
    (T.BOOLEAN, []),
    (T.DATE, "31.12.2026"),
    (T.DATE, "2026-02-30"),
    (T.DATE, "0999-01-01"),
    (T.DATE, 20261231),
    (T.DATETIME, "2026-12-31T12:00:00"),
    (T.DATETIME, "yesterday"),
    (T.DATETIME, "0001-01-01T00:00:00+14:00"),
    (T.DATETIME, "0999-01-01T00:00:00Z"),
    (T.DATETIME, None),
    (T.CHOICE, "blue"),
    (T.CHOICE, ["red"]),
    (T.EMAIL, "ada"),
    (T.EMAIL, "ada@localhost"),
    (T.EMAIL, "a b@example.com"),
    (T.URL, "javascript:alert(1)"),
    (T.URL, "https://"),
    (T.URL, "https://exa mple.com"),
    (T.URL, "https://[::1"),
    (T.URL, "ftp://example.com"),
    (T.AUTONUMBER, "INV-"),
    (T.LINK, "Acme"),
    (T.LINK, 0),
    (T.LINK, -1),
    (T.LINK, True),
    (T.LINK, {"id": "x"}),
    (T.LINK, {"id": {"id": 1}}),
    (T.LINK, [17]),
    (T.LINK, 2**63),
    (T.LINK, "9" * 19),
    (T.PERSON, {}),
    (T.AUTONUMBER, "RE-17"),
    (T.AUTONUMBER, "INV-0"),
    (T.AUTONUMBER, 0),
    (T.AUTONUMBER, True),
    (T.AUTONUMBER, "9" * 30),
    (T.AUTONUMBER, "INV-\u0667"),
    (T.CHOICES, "blue"),
    (T.CHOICES, []),
    (T.CHOICES, ["red", "blue"]),
    (T.CHOICES, ["red", 1]),
    (T.CHOICES, [["red"]]),
    (T.CHOICES, {"red": True}),
    (T.CHOICES, True),
    (T.MONEY, "0.001"),
    (T.MONEY, "USD 12.5"),
    (T.MONEY, "$ 12.5"),
    (T.MONEY, "EUR"),
    (T.MONEY, 12.5),
    (T.MONEY, True),
    (T.MONEY, "1,5"),
    (T.MONEY, Decimal("NaN")),
    (T.MONEY, Decimal("1e1000000")),
]


@pytest.mark.parametrize(("kind", "value", "stored"), GOOD)
def test_a_good_value_is_converted(kind: T, value: object, stored: object) -> None:
    assert parse(field(kind), value) == stored


@pytest.mark.parametrize(("kind", "value"), BAD)
def test_a_bad_value_is_refused_in_words(kind: T, value: object) -> None:
    with pytest.raises(InvalidValueError) as caught:
        parse(field(kind), value)
    assert str(caught.value).startswith("must")


@pytest.mark.parametrize(
    ("kind", "value", "bounds"),
    [
        (T.NUMBER, Decimal("1e16"), ("-9,999,999,999,999,999.99999999", "9,999,999,999,999,999.99999999")),
        (T.INTEGER, 2**63, ("-9,223,372,036,854,775,808", "9,223,372,036,854,775,807")),
    ],
)
def test_a_number_beyond_its_bounds_hears_them(kind: T, value: object, bounds: tuple[str, str]) -> None:
    with pytest.raises(InvalidValueError) as caught:
        parse(field(kind), value)
    assert "between {} and {}".format(*bounds) in str(caught.value)


@given(
    st.sampled_from(T), st.recursive(st.none() | st.booleans() | st.decimals() | st.integers() | st.text(), st.lists)
)
def test_any_json_is_converted_or_refused(kind: T, value: object) -> None:
    with contextlib.suppress(InvalidValueError):
        parse(field(kind), value)


@given(st.decimals(min_value=-(10**15), max_value=10**15, places=8))
def test_numbers_keep_every_digit(number: Decimal) -> None:
    assert present(field(T.NUMBER), parse(field(T.NUMBER), str(number))) == number


@given(st.integers(-(2**63), 2**63 - 1))
def test_integers_come_back(number: int) -> None:
    assert parse(field(T.INTEGER), str(number)) == number


@given(st.datetimes(min_value=datetime(1001, 1, 1), max_value=datetime(9998, 1, 1), timezones=st.timezones()))  # noqa: DTZ001  Hypothesis wants naive bounds
def test_moments_come_back_in_utc(moment: datetime) -> None:
    # Offsets of old time zones have seconds, which ISO 8601 text keeps.
    back = present(field(T.DATETIME), parse(field(T.DATETIME), moment.isoformat()))
    assert back == moment.astimezone(UTC)
    assert back.tzinfo is UTC


@pytest.mark.parametrize(
    ("stored", "shown"), [("12.50000000", "12.5"), ("100.00000000", "100"), ("0E-8", "0"), ("-0.10000000", "-0.1")]
)
def test_numbers_are_shown_plainly(stored: str, shown: str) -> None:
    assert str(plain(Decimal(stored))) == shown


def test_nothing_is_shown_as_nothing() -> None:
    assert all(present(field(kind), None) is None for kind in T)


def test_booleans_are_shown_as_such() -> None:
    assert present(field(T.BOOLEAN), 1) is True
