"""The outbox's retries within a budget of time, with a fake clock."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import cast
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_control.db.database import Database
from vivero_control.db.tables import OutboxEntry
from vivero_control.jobs import outbox as module
from vivero_control.jobs.kinds import GiveUpError, JobDescription, JobKind, Payload
from vivero_control.jobs.outbox import FIRST_PAUSE, LONGEST_PAUSE, Outbox, next_attempt, pause
from vivero_core.errors import ViveroError

START = datetime(2026, 1, 1, tzinfo=UTC)
JITTER = st.floats(0, 1)
BUDGET = st.timedeltas(timedelta(seconds=1), timedelta(days=7))


@given(st.integers(1, 100_000), JITTER)
def test_pauses_grow_and_stay_bounded(attempts: int, jitter: float) -> None:
    assert FIRST_PAUSE / 2 <= pause(attempts, jitter) <= LONGEST_PAUSE
    assert pause(attempts, jitter) <= pause(attempts + 1, jitter)


@given(BUDGET, st.lists(JITTER, min_size=1, max_size=50))
def test_the_sum_of_the_pauses_is_the_budget(budget: timedelta, jitters: list[float]) -> None:
    now, until, attempts = START, START + budget, 1
    while (again := next_attempt(attempts, now, until, jitters[attempts % len(jitters)])) is not None:
        assert timedelta(0) < again - now <= LONGEST_PAUSE
        now, attempts = again, attempts + 1
    assert now == until, "the last attempt comes at the very end"
    assert attempts <= 20 + budget / (LONGEST_PAUSE / 2), "and never in a rush"


class Flaky(JobKind):
    """Fails until a given time."""

    def __init__(self, until: datetime, error: Exception) -> None:
        self.now = START
        self.until = until
        self.error = error
        self.ends: list[str | None] = []

    async def perform(self, payload: Payload) -> None:
        assert payload == {"to": "somebody"}
        if self.now < self.until:
            raise self.error

    def describe(self, payload: Payload) -> JobDescription:
        return JobDescription("a test", str(payload.get("to")))

    async def on_done(self, session: AsyncSession, payload: Payload) -> None:
        del session, payload
        self.ends.append("done")

    async def on_given_up(self, session: AsyncSession, payload: Payload, why: str | None) -> None:
        del session, payload
        self.ends.append(why)


class OneRow(Database):
    """In place of the table: one entry."""

    def __init__(self) -> None:
        self.entry = OutboxEntry(
            id=1, kind="test", key="k", payload={"to": "somebody"}, state="pending", attempts=0, due_at=START
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        yield cast("AsyncSession", self)

    async def lock_next_due(self, kind: str, now: datetime) -> OutboxEntry | None:
        assert kind == "test"
        return self.entry if self.entry.state == "pending" and self.entry.due_at <= now else None


async def over(budget: timedelta, kind: Flaky, looked: datetime = START) -> OutboxEntry:
    """The entry when it is finished: processed at `looked` first, then whenever it is due."""
    rows = OneRow()
    with mock.patch.object(module, "OutboxRepository", lambda session: session):
        outbox = Outbox(rows, {"test": kind}, budget, lambda: kind.now)
        while rows.entry.state == "pending":
            kind.now = max(looked, rows.entry.due_at)
            await outbox.drain("test")
    return rows.entry


@settings(max_examples=30)
@given(BUDGET, st.floats(0, 2))
def test_recovery_within_the_budget_succeeds_otherwise_a_dead_letter(budget: timedelta, share: float) -> None:
    outage = budget * share
    kind = Flaky(START + outage, ViveroError("away"))
    entry = asyncio.run(over(budget, kind))
    if outage <= budget:
        assert (entry.state, entry.payload, kind.ends) == ("done", None, ["done"])
        assert kind.now - START <= outage + LONGEST_PAUSE, "noticed soon"
    else:
        assert (entry.state, entry.payload) == ("dead", {"to": "somebody"})
        assert kind.ends == [None], "once, and without a reason of its own"
        assert entry.finished_at == START + budget
        assert entry.last_error == "ViveroError: away"


@pytest.mark.parametrize(
    ("error", "attempts", "ends"),
    [(GiveUpError("The name is taken."), 1, ["The name is taken."]), (ZeroDivisionError(), None, [None])],
    ids=["hopeless", "a fault"],
)
async def test_a_permanent_failure_dies_at_once_and_an_exception_is_retried(
    error: Exception, attempts: int | None, ends: list[str | None]
) -> None:
    kind = Flaky(START + timedelta(days=365), error)
    entry = await over(timedelta(hours=3), kind)
    assert entry.state == "dead"
    assert entry.attempts == attempts if attempts else entry.attempts > 10
    assert entry.payload is not None
    assert kind.ends == ends


async def test_time_without_a_worker_does_not_count() -> None:
    """A row that was not processed for days still gets its whole budget."""
    kind = Flaky(START + timedelta(days=10, hours=1), ViveroError("away"))
    assert (await over(timedelta(hours=2), kind, looked=START + timedelta(days=10))).state == "done"
