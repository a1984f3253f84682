"""The outbox: what must happen is a row first, a job. Here jobs are processed, each kind by itself.

A row is locked while its job runs, so two workers never run the same one, and finished in the same transaction. What
fails is retried with exponential back-off until its budget of time is used up. Then it is a dead letter: it keeps its
payload for a while, metrics and logs report it, and staff can replay it.
"""

import logging
import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_core.errors import ViveroError
from vivero_core.tracing.context import read
from vivero_core.tracing.spans import Kind, Tracer
from vivero_web.clock import Clock
from vivero_web.errors import UnavailableError

from vivero_control.db.database import Database
from vivero_control.db.tables import OutboxEntry
from vivero_control.jobs.kinds import GiveUpError, JobKind
from vivero_control.jobs.repository import DEAD, DONE, OutboxRepository

FIRST_PAUSE: Final = timedelta(seconds=2)
LONGEST_PAUSE: Final = timedelta(minutes=15)
"""So a system that is available again is noticed within this time."""
KEEP_PAYLOAD: Final = timedelta(days=14)
"""A dead letter can be replayed so long. Its payload names a person and may hold a password's hash: no longer than that."""
KEEP_FINISHED: Final = timedelta(days=90)
"""Rows of finished jobs: their keys make a mail idempotent."""


def pause(attempts: int, jitter: float) -> timedelta:
    """After so many failures: doubled with each, to a bound; `jitter` in 0..1 shortens it by up to a half."""
    return min(FIRST_PAUSE * (1 << min(attempts - 1, 20)), LONGEST_PAUSE) * (1 - jitter / 2)


def next_attempt(attempts: int, now: datetime, until: datetime, jitter: float) -> datetime | None:
    """When to try again; the last time at `until` itself, and None from then on: the budget is used up."""
    return min(now + pause(attempts, jitter), until) if now < until else None


logger = logging.getLogger(__name__)

dead_letters = Counter("vivero_control_dead_letters", "Jobs that were given up", ["kind"])


class WriteBackError(ViveroError):
    """An unexpected error prevented storing the job's result."""


class Outbox:
    """Processes jobs; `budget` is how long one is retried, from its first failure on."""

    def __init__(
        self,
        database: Database,
        kinds: Mapping[str, JobKind],
        budget: timedelta,
        clock: Clock,
        tracer: Tracer | None = None,
    ) -> None:
        self._database = database
        self._kinds = kinds
        self._budget = budget
        self._clock = clock
        self._tracer = tracer or Tracer()

    async def drain(self, kind: str) -> int:
        """Run every job of this kind that is due; returns how many were attempted."""
        attempted = 0
        while await self._next(kind):
            attempted += 1
        return attempted

    async def _next(self, kind: str) -> bool:
        """Whether one was due. If its own transaction fails, the failure is recorded in another."""
        taken: int | None = None
        try:
            async with self._database.transaction() as session:
                entry = await OutboxRepository(session).lock_next_due(kind, self._clock())
                if entry is None:
                    return False
                taken = entry.id
                await self._attempt(session, entry)
        except UnavailableError:
            raise
        except Exception:
            if taken is None:
                raise
            logger.exception("storing the job's result failed", extra={"job": taken})
            await self._record_broken(taken)
        return True

    async def _attempt(self, session: AsyncSession, entry: OutboxEntry) -> None:
        kind, payload = self._kinds[entry.kind], entry.payload or {}
        entry.attempts += 1
        attributes = {"vivero.job": entry.id, "vivero.attempt": entry.attempts}
        try:
            with self._tracer.begin(f"job {entry.kind}", Kind.CONSUMER, attributes, read(entry.traceparent)):
                await kind.perform(payload)
        except Exception as error:
            if not isinstance(error, ViveroError):
                # A bug in one kind must not stop the jobs behind it; it counts as a failed attempt.
                logger.exception("job failed with an unexpected error", extra={"job": entry.id, "kind": entry.kind})
            if self._record_failure(entry, error):
                await kind.on_given_up(session, payload, str(error) if isinstance(error, GiveUpError) else None)
        else:
            await kind.on_done(session, payload)
            entry.state, entry.payload, entry.last_error = DONE, None, None
            entry.finished_at = self._clock()

    async def _record_broken(self, entry_id: int) -> None:
        """Without `on_given_up`, which may be what cannot be written."""
        async with self._database.transaction() as session:
            entry = await session.get_one(OutboxEntry, entry_id, with_for_update=True)
            entry.attempts += 1
            self._record_failure(entry, WriteBackError("its result could not be stored"))

    def _record_failure(self, entry: OutboxEntry, error: Exception) -> bool:
        """Whether that was the last attempt; else the job is due again later."""
        now = self._clock()
        entry.last_error = _error_text(error)[:500]
        entry.gives_up_at = entry.gives_up_at or now + self._budget
        again = next_attempt(entry.attempts, now, entry.gives_up_at, random.random())  # noqa: S311  jitter
        if again is None or isinstance(error, GiveUpError):
            entry.state, entry.finished_at = DEAD, now
            dead_letters.labels(entry.kind).inc()
            logger.error("job is a dead letter: %s", entry.last_error, extra={"job": entry.id, "kind": entry.kind})
            return True
        entry.due_at = again
        logger.warning("job failed, retrying: %s", entry.last_error, extra={"job": entry.id, "kind": entry.kind})
        return False


def _error_text(error: Exception) -> str:
    """The error and the type of its cause: a library's message may contain a secret."""
    cause = f" ({type(error.__cause__).__name__})" if error.__cause__ else ""
    return f"{type(error).__name__}: {error}{cause}"
