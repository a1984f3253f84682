"""Timers: what is done again and again. Each worker keeps its own, so what they call has to bear that others do it too."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

from vivero_web.errors import UnavailableError

logger = logging.getLogger(__name__)


async def every(seconds: float, what: str, do: Callable[[], Awaitable[object]], *, limit: float) -> None:
    """Until cancelled: at once, then about every so many seconds, each run for at most `limit` seconds.

    What meets a system that is away is left to the next run; any other error ends it, and `lib/each.supervise`
    starts it again.
    """
    while True:
        try:
            async with asyncio.timeout(limit):
                await do()
        except UnavailableError as error:
            logger.warning("periodic task failed, retrying: %s", error.__cause__ or error, extra={"task": what})
        # Jitter: the workers of a deployment start together.
        await asyncio.sleep(seconds * random.uniform(0.9, 1.1))  # noqa: S311
