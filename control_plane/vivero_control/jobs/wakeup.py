"""Wakes the workers when a job was written, over a channel of Valkey.

Nothing depends on it: the worker looks by itself every few seconds, and a call
that is lost costs that long. What must not be lost is a row.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Final

from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError

logger = logging.getLogger(__name__)

CALL_SECONDS: Final = 5.0  # by then the worker has looked by itself
LISTEN_SECONDS: Final = 30.0  # one look at the connection; whether it still stands is asked in between
FIRST_PAUSE, LONGEST_PAUSE = 0.4, 10.0


def pause(refusals: int, share: float) -> float:
    """Seconds until Valkey is asked again: doubled with each refusal in a row; `share` of it, from a half to the whole."""
    return share * min(FIRST_PAUSE * 2.0 ** (min(refusals, 10) - 1), LONGEST_PAUSE)


class WakeUp:
    """Calls and hears."""

    def __init__(self, client: Valkey, prefix: str) -> None:
        self._client = client
        self._channel = f"{prefix}jobs"
        self._wanted = False
        self._calling: asyncio.Task[None] | None = None

    def notify(self) -> None:
        """Have the workers look now, without keeping the caller."""
        self._wanted = True
        if self._calling is None or self._calling.done():
            self._calling = asyncio.create_task(self._call())

    async def listen(self, heard: Callable[[], None]) -> None:
        """Until cancelled, whatever happens to Valkey; `heard` for each call, and when it hears again after a silence."""
        refusals = 0
        while True:
            try:
                async with self._client.pubsub() as channel:
                    await channel.subscribe(self._channel)
                    while True:
                        message = await channel.get_message(timeout=LISTEN_SECONDS)
                        refusals = 0
                        # The confirmation of the subscription counts: something may have been written before it.
                        if message is not None:
                            heard()
            except (ValkeyError, OSError) as error:
                refusals += 1
                logger.warning("wake-up subscription failed, retrying: %s", type(error).__name__)
                await asyncio.sleep(pause(refusals, random.uniform(0.5, 1.0)))  # noqa: S311  jitter

    async def close(self) -> None:
        """Saying goodbye to a Valkey that is away is no failure."""
        if self._calling is not None:
            self._calling.cancel()
        try:
            await self._client.aclose(close_connection_pool=True)
        except (ValkeyError, OSError) as error:
            logger.warning("closing the wake-up connection failed: %s", type(error).__name__)

    async def _call(self) -> None:
        """One at a time; what was asked for meanwhile is asked once more."""
        while self._wanted:
            self._wanted = False
            try:
                async with asyncio.timeout(CALL_SECONDS):
                    await self._client.publish(self._channel, "")
            except (ValkeyError, OSError) as error:
                logger.warning("publishing the wake-up failed: %s", type(error).__name__)
