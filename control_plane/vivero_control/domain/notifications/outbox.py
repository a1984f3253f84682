"""The outbox: what must happen is a row first; here the rows are worked off.

A row is locked while its action runs, so two workers never do the same one,
and finished in the same transaction. An action that fails is tried again later
and later (`retry_at`), at last given up as `dead`, which metrics and logs show.
Actions have to bear being done twice: a worker can die between action and commit.
"""

import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from vivero_core.errors import ViveroError
from vivero_web.clock import Clock
from vivero_web.errors import UnavailableError

from vivero_control.db.database import Database
from vivero_control.db.tables import OutboxEntry
from vivero_control.domain.notifications.repository import DEAD, DONE, OutboxRepository

logger = logging.getLogger(__name__)

Action = Callable[[dict[str, Any]], Awaitable[None]]

MAX_ATTEMPTS: Final = 25
"""With the pauses below it is tried for 7 to 14.2 hours, by their jitter: longer than a bad night."""
FIRST_PAUSE: Final = timedelta(seconds=2)
LONGEST_PAUSE: Final = timedelta(hours=1)
BATCH: Final = 200  # rows a run works off at most, so that a job ends
KEEP_DONE: Final = timedelta(days=90)  # their keys are what makes a mail go out once


class GiveUpError(ViveroError):
    """Trying again is useless; the entry goes to `dead` at once."""


class FaultError(ViveroError):
    """A fault of this program kept the entry from being finished."""


def retry_at(attempts: int, now: datetime, jitter: float) -> datetime:
    """When to try again after `attempts` failures: doubling from FIRST_PAUSE, `jitter` in 0..1 shortens by half."""
    pause = min(FIRST_PAUSE * (1 << min(attempts - 1, 20)), LONGEST_PAUSE)
    return now + pause * (1 - jitter / 2)


class Outbox:
    """Works off entries; `actions` says for each kind what to do with the payload."""

    def __init__(self, database: Database, actions: Mapping[str, Action], clock: Clock) -> None:
        self._database = database
        self._actions = actions
        self._clock = clock

    async def drain(self) -> int:
        """Do everything that is due; returns how many entries were touched."""
        touched = 0
        while touched < BATCH and await self._one():
            touched += 1
        return touched

    async def _one(self) -> bool:
        """Whether there was one that is due. One that breaks its own transaction is put off in another."""
        taken: int | None = None
        try:
            async with self._database.transaction() as session:
                entry = await OutboxRepository(session).take(self._clock())
                if entry is None:
                    return False
                taken = entry.id
                await self._attempt(entry)
        except UnavailableError:
            raise
        except Exception:
            if taken is None:
                raise
            logger.exception("outbox entry %s cannot be written back", taken)
            await self._put_off(taken)
        return True

    async def _attempt(self, entry: OutboxEntry) -> None:
        entry.attempts += 1
        try:
            await self._actions[entry.kind](entry.payload or {})
        except ViveroError as error:
            self._failed(entry, error)
        except Exception as error:
            # A fault in an action must not stop the entries behind it; it counts as a failed attempt.
            logger.exception("outbox entry %s (%s) met a fault", entry.id, entry.kind)
            self._failed(entry, error)
        else:
            entry.state, entry.payload, entry.last_error = DONE, None, None
            entry.finished_at = self._clock()

    async def _put_off(self, entry_id: int) -> None:
        async with self._database.transaction() as session:
            entry = await OutboxRepository(session).get_one(id=entry_id, with_for_update=True)
            entry.attempts += 1
            self._failed(entry, FaultError("it could not be written back"))

    def _failed(self, entry: OutboxEntry, error: Exception) -> None:
        entry.last_error = _told(error)[:500]
        if isinstance(error, GiveUpError) or entry.attempts >= MAX_ATTEMPTS:
            entry.state, entry.payload, entry.finished_at = DEAD, None, self._clock()
            logger.error("outbox entry %s (%s) is given up: %s", entry.id, entry.kind, entry.last_error)
        else:
            entry.due_at = retry_at(entry.attempts, self._clock(), random.random())  # noqa: S311  jitter
            logger.warning("outbox entry %s (%s) failed, again later: %s", entry.id, entry.kind, entry.last_error)


def _told(error: Exception) -> str:
    """The error, and by kind what caused it: a library's own words may hold a secret."""
    cause = f" ({type(error.__cause__).__name__})" if error.__cause__ else ""
    return f"{type(error).__name__}: {error}{cause}"
