"""What a person types in the workspace's notation is what is meant, or it is refused with what to write."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.data_plane.strategies import VALUES
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.lib.notation import (
    Dates,
    Notation,
    NotationError,
    Numbers,
    in_zone,
    typed_date,
    typed_moment,
    written_date,
)
from vivero_data.lib.numbers import typed_number, written

NUMBERS = VALUES[FieldType.NUMBER] | VALUES[FieldType.INTEGER]
DAYS = VALUES[FieldType.DATE]
BERLIN = Notation(Numbers.COMMA, Dates.DOTS, "Europe/Berlin")
NEW_YORK = Notation(Numbers.POINT, Dates.MONTH_FIRST, "America/New_York")


@given(NUMBERS, st.sampled_from(Numbers), st.booleans())
def test_a_number_is_read_as_it_is_written(number: Decimal | int, numbers: Numbers, grouped: bool) -> None:  # noqa: FBT001  drawn
    assert typed_number(written(number, numbers, grouped=grouped), numbers) == number


@pytest.mark.parametrize("numbers", Numbers)
def test_a_notation_is_named_by_how_it_writes(numbers: Numbers) -> None:
    assert typed_number(numbers.value, numbers) == Decimal("1234.5")
    assert typed_number(written(Decimal("1234.50"), numbers, grouped=True), numbers) == Decimal("1234.5")


@pytest.mark.parametrize(
    ("numbers", "text", "number"),
    [
        (Numbers.COMMA, "1.234,50", "1234.5"),
        (Numbers.COMMA, "1.234", "1234"),
        (Numbers.COMMA, "-1.234.567", "-1234567"),
        (Numbers.COMMA, "1 234,5", "1234.5"),
        (Numbers.COMMA, "1,234", "1.234"),
        (Numbers.COMMA, ",5", "0.5"),
        (Numbers.COMMA, "1,5E+03", "1500"),
        (Numbers.POINT, "1.234", "1.234"),
        (Numbers.POINT, "1,234", "1234"),
        (Numbers.POINT, "12,34,567.8", "1234567.8"),
        (Numbers.SPACE, "1\u202f234,5", "1234.5"),
        (Numbers.APOSTROPHE, "1\u2019234.5", "1234.5"),
        (Numbers.APOSTROPHE, "1'234'567", "1234567"),
    ],
)
def test_numbers_of_each_notation(numbers: Numbers, text: str, number: str) -> None:
    assert typed_number(text, numbers) == Decimal(number)


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        (Numbers.COMMA, "1.5"),
        (Numbers.COMMA, "1.23"),
        (Numbers.COMMA, "1234.50"),
        (Numbers.COMMA, "1,234.50"),
        (Numbers.POINT, "1,5"),
        (Numbers.POINT, "1.234,50"),
        (Numbers.SPACE, "1.234"),
        (Numbers.APOSTROPHE, "1,5"),
        (Numbers.COMMA, "1.23.456"),
        (Numbers.COMMA, ","),
        (Numbers.POINT, "1e" + "9" * 30),
    ],
)
def test_what_another_country_writes_is_refused_with_an_example(numbers: Numbers, text: str) -> None:
    with pytest.raises(NotationError) as caught:
        typed_number(text, numbers)
    assert str(caught.value) == f"must be a number such as {numbers.value}"


@given(st.text(), st.none() | st.sampled_from(Numbers), st.none() | st.sampled_from(Dates))
def test_any_text_is_read_or_refused(text: str, numbers: Numbers | None, dates: Dates | None) -> None:
    with suppress(NotationError):
        typed_number(text, numbers)
    with suppress(NotationError):
        typed_date(text, dates)
    with suppress(NotationError):
        typed_moment(text, Notation(numbers, dates, "Asia/Kolkata"))


@given(DAYS, st.sampled_from(Dates))
def test_a_date_is_read_as_it_is_written_and_as_programs_write_it(day: date, dates: Dates) -> None:
    assert typed_date(written_date(day, dates), dates) == typed_date(day.isoformat(), dates) == day
    assert written_date(date(2026, 11, 29), dates) == dates.value


@pytest.mark.parametrize(
    ("dates", "text", "day"),
    [
        (Dates.DOTS, "1.2.2026", date(2026, 2, 1)),
        (Dates.MONTH_FIRST, "1/2/2026", date(2026, 1, 2)),
        (Dates.DAY_FIRST, "1/2/2026", date(2026, 2, 1)),
        (None, "1.2.2026", date(2026, 2, 1)),
        (None, "13/2/2026", date(2026, 2, 13)),
        (None, "2/13/2026", date(2026, 2, 13)),
        (None, "7/7/2026", date(2026, 7, 7)),
        (None, "7 Nov 2026", date(2026, 11, 7)),
        (Dates.DOTS, "7 November 2026", date(2026, 11, 7)),
    ],
)
def test_dates_of_each_notation(dates: Dates | None, text: str, day: date) -> None:
    assert typed_date(text, dates) == day


@pytest.mark.parametrize(
    ("dates", "text", "said"),
    [
        (None, "1/2/2026", "may mean two dates: write 2026-01-02 or 2026-02-01"),
        (Dates.MONTH_FIRST, "13/2/2026", "must be a date such as 11/29/2026"),
        (Dates.DOTS, "1/2/2026", "must be a date such as 29.11.2026"),
        (Dates.DOTS, "31.2.2026", "must be a date such as 29.11.2026"),
        (Dates.DOTS, "1.2.26", "must be a date such as 29.11.2026"),
        (Dates.ISO, "1.2.2026", "must be a date such as 2026-11-29"),
        (None, "29 Foo 2026", "must be a date such as 2026-11-29"),
    ],
)
def test_dates_that_are_refused(dates: Dates | None, text: str, said: str) -> None:
    with pytest.raises(NotationError) as caught:
        typed_date(text, dates)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("notation", "text", "moment"),
    [
        (BERLIN, "29.11.2026 14:30", "2026-11-29T13:30:00+00:00"),
        (BERLIN, "1.7.2026, 14:30:15", "2026-07-01T12:30:15+00:00"),
        (BERLIN, "2026-07-01T14:30", "2026-07-01T12:30:00+00:00"),
        (BERLIN, "2026-07-01T14:30:00.250Z", "2026-07-01T14:30:00.250000+00:00"),
        (BERLIN, "2026-07-01 14:30+0530", "2026-07-01T09:00:00+00:00"),
        (BERLIN, "29.11.2026", "2026-11-28T23:00:00+00:00"),
        (NEW_YORK, "11/29/2026 12:05 AM", "2026-11-29T05:05:00+00:00"),
        (NEW_YORK, "11/29/2026 2:30 p.m.", "2026-11-29T19:30:00+00:00"),
        (BERLIN, "2026-10-25T02:30+02:00", "2026-10-25T00:30:00+00:00"),
    ],
)
def test_times_are_of_the_time_zone(notation: Notation, text: str, moment: str) -> None:
    assert typed_moment(text, notation) == datetime.fromisoformat(moment)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("29.3.2026 02:30", "is skipped in Europe/Berlin, where clocks go forward then"),
        (
            "25.10.2026 02:30",
            "comes twice in Europe/Berlin, where clocks go back then: write it with its offset, such as 2026-10-25T02:30+02:00",
        ),
        ("29.11.2026 25:00", "must be a date and time such as 29.11.2026 14:30"),
        ("29.11.2026 13:00 PM", "must be a date and time such as 29.11.2026 14:30"),
        ("29.11.2026 at noon", "must be a date such as 29.11.2026"),
        ("1.1.0001 00:00", "must be a date and time such as 29.11.2026 14:30"),
    ],
)
def test_times_that_are_refused(text: str, said: str) -> None:
    with pytest.raises(NotationError) as caught:
        typed_moment(text, BERLIN)
    assert str(caught.value) == said


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(2037, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  bounds are naive
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]),
)
def test_a_time_that_is_shown_is_read_as_the_same_or_refused(moment: datetime, zone: str) -> None:
    shown = in_zone(moment, zone)
    with suppress(NotationError):
        assert typed_moment(shown.isoformat(), Notation(zone=zone)) == moment
    assert abs(shown - moment.replace(tzinfo=None)) <= timedelta(hours=14)
