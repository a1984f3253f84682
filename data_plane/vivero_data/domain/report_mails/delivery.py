"""Begins what is due: a background loop, safe to run in several pods. The mails themselves are a job."""

import asyncio
from typing import Final

import msgspec
from vivero_web import clock

from vivero_data.db.database import Connection, Database
from vivero_data.domain.audit.service import record
from vivero_data.domain.jobs import repository as jobs
from vivero_data.domain.notation.service import notation_of
from vivero_data.domain.report_mails import repository
from vivero_data.domain.report_mails.job import KIND, SendReport
from vivero_data.domain.report_mails.periods import next_time
from vivero_data.domain.report_mails.repository import StoredSchedule
from vivero_data.lib.polling import Poller

_POLL_SECONDS: Final = 20.0  # while a schedule is due soon
_IDLE_POLL_SECONDS: Final = 300.0
_SOON: Final = 2 * int(_IDLE_POLL_SECONDS)


class ReportMailDelivery(Poller):
    """Polls for schedules that are due."""

    def __init__(self, database: Database, started: asyncio.Event) -> None:
        """`started` wakes the runner of jobs."""
        super().__init__("report mails", asyncio.Event(), _POLL_SECONDS, _IDLE_POLL_SECONDS)
        self._database = database
        self._started = started

    async def expects(self) -> bool:
        async with self._database.read() as connection:
            return await repository.is_soon(connection, _SOON)

    async def once(self) -> bool:
        """Begin one period; of periods that passed while no pod ran, the newest alone."""
        async with self._database.transaction() as tx:
            schedule = await repository.take_due(tx)
            if schedule is None:
                return False
            await _begin(tx, schedule)
        self._started.set()
        return True


async def _begin(tx: Connection, schedule: StoredSchedule) -> None:
    next_at = next_time(schedule.rule, clock.now(), (await notation_of(tx)).zone)
    problem = await _end_of(tx, schedule)
    if problem:
        paused = msgspec.structs.replace(schedule.rule, active=False)
        await repository.update(tx, schedule.id, paused, next_at, problem)
        await record(tx, None, "report_schedule.end", schedule.logged_as, after={"why": problem})
        return
    await repository.update(tx, schedule.id, schedule.rule, next_at, "")
    if await repository.begin_period(tx, schedule.id, schedule.next_at):
        work = SendReport(schedule.id, schedule.next_at)
        await jobs.insert(tx, KIND, schedule.shown.name, work, schedule.owner_id)


async def _end_of(tx: Connection, schedule: StoredSchedule) -> str:
    """Why there is nothing to send any more; empty if there is."""
    if not schedule.shown.name:
        return f"The {schedule.subject} was deleted."
    if not await repository.owner_is_active(tx, schedule.owner_id):
        return "Who made it may not log in any more."
    return ""
