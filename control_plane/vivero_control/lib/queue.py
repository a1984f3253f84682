"""SAQ on Valkey: it wakes the worker and keeps its timetable. What must not be lost is in the outbox."""

import asyncio
import logging
import random
from typing import Final

import saq.job
import saq.queue.redis
from redis.asyncio import Redis
from redis.exceptions import RedisError
from saq import Job
from saq.queue.redis import RedisQueue

logger = logging.getLogger(__name__)

DRAIN: Final = "drain_outbox"
VERSION: Final = (7, 2, 0)  # the oldest Valkey there is; asking would need the right to INFO
WAKE_SECONDS: Final = 5.0  # by then the worker has looked by itself
FIRST_PAUSE, LONGEST_PAUSE = 0.4, 10.0


def pause(refusals: int, share: float) -> float:
    """Seconds until Valkey is asked again: doubled with each refusal in a row; `share` of it, from a half to the whole."""
    return share * min(FIRST_PAUSE * 2.0 ** (min(refusals, 10) - 1), LONGEST_PAUSE)


class PrefixedQueue(RedisQueue):
    """All keys under our prefix, the only ones our ACL user may touch."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        # SAQ has no setting for these two; nothing else in this process uses SAQ.
        saq.queue.redis.ID_PREFIX = f"{prefix}saq:job:"
        saq.job.ABORT_ID_PREFIX = f"{prefix}saq:abort:"
        self._prefix = prefix
        self._wanted = False
        self._waking: asyncio.Task[None] | None = None
        self._refusals = 0
        super().__init__(redis, name="vivero")

    def job_id(self, job_key: str) -> str:
        return f"{self._prefix}saq:job:{self.name}:{job_key}"

    def job_key_from_id(self, job_id: str) -> str:
        return job_id.removeprefix(f"{self._prefix}saq:job:{self.name}:")

    def namespace(self, key: str) -> str:
        return f"{self._prefix}saq:{self.name}:{key}"

    async def version(self) -> tuple[int, ...]:
        return VERSION

    async def notify(self, job: Job) -> None:
        """Nobody waits for a job's result, so nothing is published."""

    async def dequeue(self, timeout: float = 0.0, poll_interval: float = 0.0) -> Job | None:  # noqa: ASYNC109  SAQ's
        """As SAQ's, which asks again at once when Valkey gives no answer: thousands of times a second."""
        try:
            job = await super().dequeue(timeout, poll_interval)
        except (RedisError, OSError):
            self._refusals += 1
            await asyncio.sleep(pause(self._refusals, random.uniform(0.5, 1.0)))  # noqa: S311  jitter
            raise
        self._refusals = 0
        return job

    async def close(self) -> None:
        """Saying goodbye to a Valkey that is away is no failure."""
        if self._waking is not None:
            self._waking.cancel()
        try:
            await self.disconnect()
        except (RedisError, OSError) as error:
            logger.warning("queue closed without telling Valkey: %s", type(error).__name__)

    def wake(self) -> None:
        """Ask for a run over the outbox now, without keeping the caller.

        Without Valkey the rows wait for the worker's own next look.
        """
        self._wanted = True
        if self._waking is None or self._waking.done():
            self._waking = asyncio.create_task(self._wake())

    async def _wake(self) -> None:
        """One at a time; what was asked for meanwhile is asked once more."""
        while self._wanted:
            self._wanted = False
            try:
                async with asyncio.timeout(WAKE_SECONDS):
                    await self.enqueue(DRAIN, key=DRAIN, timeout=300, retries=1, ttl=60)
            except (RedisError, OSError) as error:
                logger.warning("could not wake the worker: %s", type(error).__name__)


class WithoutTraceback(logging.Filter):
    """One line for a Valkey that is away, instead of SAQ's traceback every second."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, RedisError | OSError):
            record.msg, record.args, record.exc_info = "Valkey does not answer: %s", (type(error).__name__,), None
        return True


logging.getLogger("saq").addFilter(WithoutTraceback())
