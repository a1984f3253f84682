"""How long the outbox tries."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from vivero_control.domain.notifications.outbox import MAX_ATTEMPTS, retry_at

START = datetime(2026, 1, 1, tzinfo=UTC)


def patience(jitters: list[float]) -> timedelta:
    """From the first attempt to the one after which it gives up."""
    now = START
    for attempts, jitter in zip(range(1, MAX_ATTEMPTS), jitters, strict=True):
        now = retry_at(attempts, now, jitter)
    return now - START


@given(st.lists(st.floats(0, 1), min_size=MAX_ATTEMPTS - 1, max_size=MAX_ATTEMPTS - 1))
def test_it_is_tried_for_as_long_as_its_comment_says(jitters: list[float]) -> None:
    assert timedelta(hours=7) <= patience(jitters) <= timedelta(hours=14.2)


def test_the_first_pauses_are_short() -> None:
    assert retry_at(1, START, 0) - START == timedelta(seconds=2)
    assert retry_at(1, START, 1) - START == timedelta(seconds=1)
    assert retry_at(500, START, 0) - START == timedelta(hours=1)
