"""The days of a calendar, in a time zone: every record is on each of its days, and moves by whole days."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.filter_trees import holds
from unit.data_plane import builders
from unit.data_plane_web.browser import Browser
from vivero_data.domain.field_types.options import Options, Result
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.records.schemas import Record
from vivero_data.domain.records.where import compiled
from vivero_data.lib.notation import UNSET, Dates, Notation
from vivero_data.web.calendars import Shown, Span, Window, between, days_on, local_day, moved, window_of
from vivero_web.errors import InvalidInputError

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DATED = [kind for kind in FieldType if kind.kind.dated]
ZONES = ("UTC", "Europe/Berlin", "America/Los_Angeles", "Pacific/Kiritimati", "Asia/Kathmandu", "Africa/Cairo")
DAYS = st.dates(date(1001, 1, 1), date(9998, 12, 31))
NEAR = st.dates(date(2026, 1, 1), date(2026, 12, 31))


def record(**values: Any) -> Record:  # noqa: ANN401  any value
    return Record(1, 1, values, NOW, NOW)


def fields(kind: FieldType, *, end: bool = True) -> Shown:
    last = builders.field(kind, 2, name="End") if end else None
    return Shown(builders.field(kind, 1, name="Start"), last)


@given(DAYS, st.sampled_from(Span), st.sampled_from([None, *Dates]))
def test_a_window_is_whole_weeks_around_its_day(day: date, span: Span, dates: Dates | None) -> None:
    found = window_of(day.isoformat(), span.value, day, Notation(dates=dates))
    assert found.first <= day <= found.last
    assert len(found.days) % 7 == 0
    assert (len(found.days) == 7) == (span is Span.WEEK) or day.month == 2
    assert found.first.weekday() == (6 if dates is Dates.MONTH_FIRST else 0)
    inside = [one for one in found.days if found.has(one)]
    assert day in inside
    assert {one.month for one in inside} == {day.month} or span is Span.WEEK
    assert found.before < min(inside)
    assert found.after > max(inside)


@pytest.mark.parametrize("text", ["", "x", "2026-13-01", "0001-01-01", "9999-12-31", "2026-1-1", "2026-11-30x"])
def test_what_is_no_day_is_refused(text: str) -> None:
    if not text:
        assert window_of("", "", date(2026, 11, 30), UNSET).anchor == date(2026, 11, 30)
        return
    with pytest.raises(InvalidInputError) as caught:
        window_of(text, "", date(2026, 11, 30), UNSET)
    assert caught.value.errors[0].field == "day"
    with pytest.raises(InvalidInputError) as caught:
        window_of("", text, date(2026, 11, 30), UNSET)
    assert caught.value.errors[0].field == "span"


@given(NEAR, NEAR, NEAR, st.booleans())
def test_a_record_is_read_exactly_when_it_is_on_a_day_shown(first: date, last: date, anchor: date, week: bool) -> None:  # noqa: FBT001  Hypothesis
    window = window_of(anchor.isoformat(), "week" if week else "month", anchor, UNSET)
    for kind_fields in (fields(FieldType.DATE), fields(FieldType.DATE, end=False)):
        condition = between(kind_fields, window, "UTC")
        one = record(Start=first, End=last)
        sent = {"Start": first.isoformat(), "End": last.isoformat()}
        on = list(days_on(one, kind_fields, window, "UTC"))
        assert holds(condition, sent) == bool(on)
        assert all(window.first <= day <= window.last for day in on)
        assert on == sorted(set(on))


@pytest.mark.parametrize("kind", DATED)
@pytest.mark.parametrize("zone", ZONES)
def test_the_condition_of_a_window_fits_its_fields(kind: FieldType, zone: str) -> None:
    for end in (True, False):
        shown = fields(kind, end=end)
        window = window_of("2026-03-29", "week", date(2026, 1, 1), UNSET)
        every = [shown.start, *([shown.end] if shown.end else [])]
        compiled(builders.collection(*every), between(shown, window, zone))


@given(st.integers(0, 2_000_000_000), NEAR, st.sampled_from(ZONES), st.integers(0, 400))
def test_a_moved_record_keeps_its_time_of_the_day(moment: int, day: date, zone: str, hours: int) -> None:
    shown = fields(FieldType.DATETIME)
    start = datetime.fromtimestamp(moment, UTC)
    before = record(Start=start, End=start + timedelta(hours=hours))
    after = {name: datetime.fromisoformat(text) for name, text in moved(before, shown, day, zone).items()}
    old, new = (one.astimezone(ZoneInfo(zone)) for one in (start, after["Start"]))
    assert local_day(after["Start"], zone) == day or new.utcoffset() != old.utcoffset()
    if new.utcoffset() == old.utcoffset():
        assert (new.date(), new.time()) == (day, old.time())


@given(NEAR, NEAR, NEAR)
def test_a_moved_record_lasts_as_long_as_before(first: date, last: date, day: date) -> None:
    found = moved(record(Start=first, End=last), fields(FieldType.DATE), day, "UTC")
    start, end = (date.fromisoformat(found[name]) for name in ("Start", "End"))
    assert (start, end - start) == (day, last - first)


def test_what_has_no_date_or_leaves_the_calendar_is_not_moved() -> None:
    shown = fields(FieldType.DATE)
    with pytest.raises(InvalidInputError, match="no date"):
        moved(record(Start=None, End=None), shown, date(2026, 1, 1), "UTC")
    with pytest.raises(InvalidInputError, match="outside"):
        moved(record(Start=date(2026, 1, 1), End=date(9999, 12, 31)), shown, date(2027, 1, 1), "UTC")


DUE = Options(formula="{Start}", result=Result.DATE)


def test_a_calculated_end_follows_and_a_calculated_start_is_not_moved() -> None:
    plain = fields(FieldType.DATE)
    calculated = builders.field(FieldType.FORMULA, 3, name="Due", options=DUE)
    one = record(Start=date(2026, 1, 1), End=date(2026, 1, 5), Due=date(2026, 1, 15))
    assert moved(one, Shown(plain.start, calculated), date(2026, 2, 1), "UTC") == {"Start": "2026-02-01"}
    with pytest.raises(InvalidInputError, match="calculated"):
        moved(one, Shown(calculated, plain.end), date(2026, 2, 1), "UTC")


def test_an_entry_that_lasts_is_cut_at_the_window() -> None:
    window = Window(Span.WEEK, date(2026, 11, 30), date(2026, 11, 30), date(2026, 12, 6))
    one = record(Start=date(1990, 1, 1), End=date(9999, 12, 31))
    assert list(days_on(one, fields(FieldType.DATE), window, "UTC")) == window.days


@pytest.mark.parametrize("query", ["kind=calendar", "kind=calendar&start=Notes", "kind=calendar&start=Since&day=x"])
def test_a_calendar_that_cannot_be_shown_says_so(browser: Browser, query: str) -> None:
    browser.customers()
    answer = browser.client.get(f"/collections/Customers?{query}")
    assert answer.status_code == 422
    assert "This view cannot be shown" in answer.text
