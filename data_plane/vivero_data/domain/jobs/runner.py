"""Has jobs done in a child process, beside the server: what they need of memory goes when they end.

One at a time in a workspace, whichever pod begins it. A child that ends without its job done, takes too long or is
silent for a minute is followed by another attempt, later and later, and after the last one the job has failed. A pod
that goes gives back what it had.
"""

import asyncio
import random
import signal
import sys
from collections.abc import Sequence
from typing import Final

import structlog
from vivero_web.errors import WebError, explained

from vivero_data.db.database import Database
from vivero_data.db.errors import DuplicateKeyError
from vivero_data.domain.jobs import repository
from vivero_data.domain.jobs.repository import Attempt

ATTEMPT_TIMEOUT: Final = 1800.0  # seconds of an attempt
_PROGRAM: Final = (sys.executable, "-m", "vivero_data")
_FIRST_POLL_SECONDS: Final = (
    5.0  # after what a start asks the database: a second connection costs an idle pod 0.7 MiB for good
)
_POLL_SECONDS: Final = 10.0  # while something waits or runs elsewhere
_IDLE_POLL_SECONDS: Final = 3600.0  # nothing does: an idle workspace keeps no connection for this

log = structlog.get_logger(__name__)


class JobRunner:
    """A loop; `wakeup` wakes it."""

    def __init__(
        self,
        database: Database,
        wakeup: asyncio.Event,
        program: Sequence[str] = _PROGRAM,
        timeout: float = ATTEMPT_TIMEOUT,
    ) -> None:
        self._database = database
        self._wanted = wakeup
        self._program = program
        self._timeout = timeout

    async def run(self) -> None:
        """Until cancelled, which the database's driver may turn into an error of its own."""
        task, pause = asyncio.current_task(), _FIRST_POLL_SECONDS
        while task is None or not task.cancelling():
            try:
                async with asyncio.timeout(pause * random.uniform(0.8, 1.2)):  # noqa: S311  jitter, not a secret
                    await self._wanted.wait()
            except TimeoutError:
                pass  # time to look
            self._wanted.clear()
            pause = await self._poll()

    async def _poll(self) -> float:
        """Do what is due; how long to wait before the next look."""
        try:
            while await self.once():
                pass  # the next one may be due
            async with self._database.read() as connection:
                return _POLL_SECONDS if await repository.unfinished(connection) else _IDLE_POLL_SECONDS
        except WebError as error:
            log.warning("job_runner_failed", problem=explained(error))
        except Exception:
            # A fault of ours must not end the loop for the life of the pod.
            log.exception("job_runner_failed")
        return _POLL_SECONDS

    async def once(self) -> bool:
        """One attempt at what is due; False when nothing is, or another process runs one."""
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
        """Run it; what to say if the job is not done now."""
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
            f"Its process was ended by {signal.Signals(-code).name}." if code < 0 else "Its process ended unexpectedly."
        )


async def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()
