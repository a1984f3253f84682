"""Waiting for what other tasks do, however busy the machine is."""

import asyncio
from collections.abc import Callable


async def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Let other tasks run until the condition holds; TimeoutError after `seconds`."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110  the state watched belongs to the code under test, which sets no Event
            await asyncio.sleep(0.001)
