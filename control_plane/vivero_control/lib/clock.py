"""The time, passed in wherever a decision depends on it, so that tests set it."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Now, with a time zone."""


def system_clock() -> datetime:
    return datetime.now(UTC)


def in_utc(moment: datetime) -> datetime:
    """The same moment; at the calendar's ends, where UTC has no such day, the last or first moment that it has."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC) if moment.year > 1 else datetime.min.replace(tzinfo=UTC)
