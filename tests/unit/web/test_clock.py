"""Moments, to the ends of the calendar."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st
from vivero_web import clock

ENDS = [end.replace(tzinfo=None) for end in (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))]
ZONES = st.integers(-24 * 60 + 1, 24 * 60 - 1).map(lambda minutes: timezone(timedelta(minutes=minutes)))
DAY = timedelta(days=1)


@given(st.datetimes(ENDS[0] + DAY, ENDS[1] - DAY, timezones=ZONES))
def test_a_stored_moment_comes_back(moment: datetime) -> None:
    assert clock.utc(clock.naive(moment)) == moment == clock.in_utc(moment)


@given(st.sampled_from(ENDS), ZONES)
def test_the_calendars_ends_are_in_every_zone(end: datetime, zone: timezone) -> None:
    moment = clock.in_utc(end.replace(tzinfo=zone))
    assert moment.tzinfo is UTC
    assert abs(moment.replace(tzinfo=None) - end) < DAY
