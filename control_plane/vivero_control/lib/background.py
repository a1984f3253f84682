"""Background work: supervised tasks, periodic tasks, and loops in which one failing item never stops the others."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from prometheus_client import Counter
from vivero_web.errors import UnavailableError

logger = logging.getLogger(__name__)

T = TypeVar("T")

MOST_OUTAGES: Final = 10
"""After so many items in a row that failed for an outage, the run ends: the others would fail too."""
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 60.0
STEADY_SECONDS: Final = 300.0  # a task that ran so long begins with the shortest pause again

skipped_items = Counter("vivero_control_skipped", "Items of a loop that failed and were left to its next run", ["loop"])
task_restarts = Counter(
    "vivero_control_background_failures", "Times that a background task broke and was restarted", ["task"]
)


async def for_each(
    loop: str, items: Iterable[T], do: Callable[[T], Awaitable[object]], name: Callable[[T], str]
) -> int:
    """Call `do` for every item, in random order; a failure is logged, counted and skipped. Returns how many succeeded.

    Raises:
        UnavailableError: MOST_OUTAGES items in a row met an outage.
    """
    done = outages = 0
    for item in shuffled(items):
        try:
            with apart(loop, name(item)):
                await do(item)
                done += 1
            outages = 0
        except UnavailableError as error:
            outages += 1
            skipped_items.labels(loop).inc()
            logger.warning(
                "item failed, retrying in the next run: %s",
                error.__cause__ or error,
                extra={"loop": loop, "item": name(item)},
            )
            if outages >= MOST_OUTAGES:
                raise
    return done


@contextmanager
def apart(loop: str, item: str) -> Iterator[None]:
    """Around what is done for one of many: an unexpected error of it is logged and counted, and stops no other.

    An outage is no matter of one item, and is raised.
    """
    try:
        yield
    except UnavailableError:
        raise
    except Exception:
        skipped_items.labels(loop).inc()
        logger.exception("item failed with an unexpected error", extra={"loop": loop, "item": item})


def shuffled(items: Iterable[T]) -> list[T]:
    """A random order, so that an item that always fails does not always precede the same others."""
    listed = list(items)
    random.shuffle(listed)
    return listed


async def supervise(name: str, start: Callable[[], Awaitable[None]]) -> None:
    """Run a background task until it ends or is cancelled; after an error it is logged, counted and restarted."""
    pause = FIRST_PAUSE
    while True:
        begin = asyncio.get_running_loop().time()
        try:
            await start()
        except Exception:
            task_restarts.labels(name).inc()
            logger.exception("background task failed, restarting it", extra={"task": name})
        else:
            return
        if asyncio.get_running_loop().time() - begin > STEADY_SECONDS:
            pause = FIRST_PAUSE
        await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  jitter
        pause = min(pause * 2, LONGEST_PAUSE)


async def run_every(seconds: float, what: str, do: Callable[[], Awaitable[object]], *, limit: float) -> None:
    """Until cancelled: at once, then about every so many seconds, each run for at most `limit` seconds.

    An outage is retried in the next run; any other error ends the task, and `supervise` restarts it.
    """
    while True:
        try:
            async with asyncio.timeout(limit):
                await do()
        except UnavailableError as error:
            logger.warning("periodic task failed, retrying: %s", error.__cause__ or error, extra={"task": what})
        # Jitter: the workers of a deployment start together.
        await asyncio.sleep(seconds * random.uniform(0.9, 1.1))  # noqa: S311
