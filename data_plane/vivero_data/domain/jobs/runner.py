"""Runs jobs in child processes, so that their memory is freed when they end.

One job at a time in a workspace, in whichever pod claims it. A child that exits without finishing its job, exceeds the
timeout or sends no heartbeat for a minute is retried with back-off; after the last attempt the job fails. A pod that
shuts down returns its job to the queue.
"""

import asyncio
import signal
import sys
from collections.abc import Sequence
from typing import Final

import structlog

from vivero_data.db.database import Database
from vivero_data.db.errors import DuplicateKeyError
from vivero_data.domain.jobs import repository
from vivero_data.domain.jobs.repository import Attempt
from vivero_data.lib.polling import Poller

ATTEMPT_TIMEOUT: Final = 1800.0  # seconds
_PROGRAM: Final = (sys.executable, "-m", "vivero_data")
_POLL_SECONDS: Final = 10.0  # while jobs wait or run elsewhere
_IDLE_POLL_SECONDS: Final = 3600.0  # without jobs: an idle workspace keeps no connection for this

log = structlog.get_logger(__name__)


class JobRunner(Poller):
    """Polls for due jobs."""

    def __init__(
        self,
        database: Database,
        wakeup: asyncio.Event,
        program: Sequence[str] = _PROGRAM,
        timeout: float = ATTEMPT_TIMEOUT,
    ) -> None:
        super().__init__("jobs", wakeup, _POLL_SECONDS, _IDLE_POLL_SECONDS)
        self._database = database
        self._program = program
        self._timeout = timeout

    async def expects(self) -> bool:
        async with self._database.read() as connection:
            return bool(await repository.unfinished(connection))

    async def once(self) -> bool:
        """Run one due attempt; False if none is due, or another process runs one."""
        try:
            async with self._database.transaction() as tx:
                await repository.fail_stale(tx)
                attempt = await repository.claim(tx)
        except DuplicateKeyError:
            return False
        if attempt is None:
            return False
        log.info("job_started", job=attempt.job_id, attempt=attempt.number)
        problem = await self._child(attempt)
        async with self._database.read() as connection:
            lost = await repository.fail(connection, attempt, problem, for_good=False)
        log.info("job_ended", job=attempt.job_id, attempt=attempt.number, problem=problem if lost else None)
        return True

    async def _child(self, attempt: Attempt) -> str:
        """Run the attempt in a child process; returns the problem to record if the job is not done."""
        process = await asyncio.create_subprocess_exec(
            *self._program,
            "job",
            str(attempt.job_id),
            str(attempt.number),
            stdin=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(self._timeout):
                code = await process.wait()
        except TimeoutError:
            await _kill(process)
            return f"It took longer than {self._timeout / 60:,.0f} minutes."
        except asyncio.CancelledError:
            await _kill(process)
            async with self._database.read() as connection:
                await repository.release(connection, attempt)
            raise
        return (
            f"Its process was killed by {signal.Signals(-code).name}."
            if code < 0
            else "Its process ended unexpectedly."
        )


async def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()
