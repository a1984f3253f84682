"""The time, in one place and passed in wherever a decision depends on it, so that tests set it."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Now, with a time zone."""


def now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)


def in_utc(moment: datetime) -> datetime:
    """The same moment; at the calendar's ends, where UTC has no such day, the last or first moment that it has."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC) if moment.year > 1 else datetime.min.replace(tzinfo=UTC)


def utc(stored: datetime) -> datetime:
    """A DATETIME column's value, which is UTC without saying so."""
    return stored.replace(tzinfo=UTC)


def naive(moment: datetime) -> datetime:
    """The same moment as a DATETIME column stores it."""
    return in_utc(moment).replace(tzinfo=None)
