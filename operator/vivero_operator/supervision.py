"""Supervises a background task: what ends it is logged and counted, and it is restarted with back-off.

One invalid object or unexpected response must not end the operator for all tenants: only
lost leadership does, because then another replica may be at work.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import Final

from vivero_operator import metrics
from vivero_operator.errors import LeadershipLostError
from vivero_operator.policies import backoff

logger = logging.getLogger(__name__)

STABLE_SECONDS: Final = 60.0
"""A task that ran for so long before it ended starts again as after its first failure."""


async def supervised(
    name: str,
    work: Callable[[], Awaitable[None]],
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Run `work` until cancelled, again and again.

    Raises:
        LeadershipLostError: the work says that this replica must stop.
    """
    failures = 0
    while True:
        begun = clock()
        try:
            await work()
            logger.error("background task ended, restarting it", extra={"task": name})
        except Exception as error:
            lost = _lost_leadership(error)
            if lost is not None:
                raise lost from error
            # Whatever it is, it is loud, counted, and no reason to stop everything else.
            logger.exception("background task failed, restarting it", extra={"task": name})
        metrics.TASK_RESTARTS.labels(name).inc()
        failures = 1 if clock() - begun > STABLE_SECONDS else failures + 1
        await sleep(backoff.delay(failures, random.random()))  # noqa: S311  jitter, no secret


def _lost_leadership(error: BaseException) -> LeadershipLostError | None:
    """The error itself, or one inside a group of them: of work that runs in several tasks."""
    if isinstance(error, BaseExceptionGroup):
        return next(filter(None, map(_lost_leadership, error.exceptions)), None)
    return error if isinstance(error, LeadershipLostError) else None
