"""How long a job is tried, and when again: decisions, no I/O, time and chance passed in."""

from datetime import datetime, timedelta
from typing import Final

FIRST_PAUSE: Final = timedelta(seconds=2)
LONGEST_PAUSE: Final = timedelta(minutes=15)
"""What comes back is noticed so much later at most."""
KEEP_PAYLOAD: Final = timedelta(days=14)
"""A dead letter can be replayed so long. Its payload names a person and may hold a password's hash: no longer than that."""
KEEP: Final = timedelta(days=90)
"""Rows of jobs that are over: their keys are what makes a mail go out once."""


def pause(attempts: int, jitter: float) -> timedelta:
    """After so many failures: doubled with each, to a bound; `jitter` in 0..1 shortens it by up to a half."""
    return min(FIRST_PAUSE * (1 << min(attempts - 1, 20)), LONGEST_PAUSE) * (1 - jitter / 2)


def next_attempt(attempts: int, now: datetime, until: datetime, jitter: float) -> datetime | None:
    """When to try again; the last time at `until` itself, and None from then on: the budget is used up."""
    return min(now + pause(attempts, jitter), until) if now < until else None
