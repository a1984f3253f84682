"""The time, passed in wherever a decision depends on it, so that tests set it."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Now, with a time zone."""


def system_clock() -> datetime:
    return datetime.now(UTC)
