"""The time, in one place, so that tests can pass their own."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)


def utc(stored: datetime) -> datetime:
    """A DATETIME column's value, which is UTC without saying so."""
    return stored.replace(tzinfo=UTC)


def naive(moment: datetime) -> datetime:
    """The same moment as a DATETIME column stores it."""
    return moment.astimezone(UTC).replace(tzinfo=None)
