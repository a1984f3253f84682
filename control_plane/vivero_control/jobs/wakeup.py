"""Wakes the workers when a job was enqueued, over a pub/sub channel of Valkey.

Best effort: the worker polls the outbox every few seconds, so a lost message only delays. What must not be lost is a row.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Final

from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError

logger = logging.getLogger(__name__)

PUBLISH_SECONDS: Final = 5.0  # by then the worker has polled
LISTEN_SECONDS: Final = 30.0  # one read; health checks of the connection come in between
FIRST_PAUSE, LONGEST_PAUSE = 0.4, 10.0


def pause(failures: int, share: float) -> float:
    """Seconds until the next attempt: exponential back-off, of which jitter takes `share`, from a half to the whole."""
    return share * min(FIRST_PAUSE * 2.0 ** (min(failures, 10) - 1), LONGEST_PAUSE)


class WakeUp:
    """Publishes and listens."""

    def __init__(self, client: Valkey, prefix: str) -> None:
        self._client = client
        self._channel = f"{prefix}jobs"
        self._pending = False
        self._publishing: asyncio.Task[None] | None = None

    def notify(self) -> None:
        """Have the workers look for jobs now; returns at once."""
        self._pending = True
        if self._publishing is None or self._publishing.done():
            self._publishing = asyncio.create_task(self._publish())

    async def listen(self, heard: Callable[[], None]) -> None:
        """Until cancelled, with retries; calls `heard` for each message, and after each reconnect."""
        failures = 0
        while True:
            try:
                async with self._client.pubsub() as channel:
                    await channel.subscribe(self._channel)
                    while True:
                        message = await channel.get_message(timeout=LISTEN_SECONDS)
                        failures = 0
                        # The confirmation of the subscription counts: a message may have been lost before it.
                        if message is not None:
                            heard()
            except (ValkeyError, OSError) as error:
                failures += 1
                logger.warning("wake-up subscription failed, retrying: %s", type(error).__name__)
                await asyncio.sleep(pause(failures, random.uniform(0.5, 1.0)))  # noqa: S311  jitter

    async def close(self) -> None:
        """Errors are logged: the process ends anyway."""
        if self._publishing is not None:
            self._publishing.cancel()
        try:
            await self._client.aclose(close_connection_pool=True)
        except (ValkeyError, OSError) as error:
            logger.warning("closing the wake-up connection failed: %s", type(error).__name__)

    async def _publish(self) -> None:
        """One publish at a time; requests in between are merged into one more."""
        while self._pending:
            self._pending = False
            try:
                async with asyncio.timeout(PUBLISH_SECONDS):
                    await self._client.publish(self._channel, "")
            except (ValkeyError, OSError) as error:
                logger.warning("publishing the wake-up failed: %s", type(error).__name__)
