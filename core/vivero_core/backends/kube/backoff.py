"""Connection back-off shared by all sessions to an API server that is down: one attempt a second in all.

A program with a dozen watches and as many writers has them all try again, each
with a back-off of its own. Here they share one: who would open a connection
too early fails fast, as if the server had refused.
"""

import random
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Final

import aiohttp

PAUSE_SECONDS: Final = 1.0
_SPREAD: Final = 0.5


class BackingOffError(aiohttp.ClientConnectionError):
    """No connection was tried."""


class ConnectionBackoff:
    """Whether a connection may be tried; one for all sessions of a program."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._again_at: float | None = None

    def try_now(self) -> bool:
        """While the server is down, True once in a pause."""
        if self._again_at is None:
            return True
        if self._clock() < self._again_at:
            return False
        self.failed()  # until this attempt says otherwise
        return True

    def failed(self) -> None:
        self._again_at = self._clock() + PAUSE_SECONDS + random.uniform(0, _SPREAD)  # noqa: S311  jitter, no secret

    def succeeded(self) -> None:
        self._again_at = None

    def trace(self) -> aiohttp.TraceConfig:
        """For an aiohttp session, ours or another library's: it checks before a connection is opened, and records the result."""
        config = aiohttp.TraceConfig()

        async def connecting(_: aiohttp.ClientSession, request: SimpleNamespace, __: object) -> None:
            if getattr(request, "connects", False):
                self.failed()  # aiohttp tries a broken read once more by itself
            if not self.try_now():
                raise BackingOffError(
                    "the API server did not respond a moment ago, backing off before the next connection"
                )
            request.connects = True

        async def ended(_: aiohttp.ClientSession, __: SimpleNamespace, ___: object) -> None:
            self.succeeded()

        async def broke(_: aiohttp.ClientSession, request: SimpleNamespace, __: object) -> None:
            # That a connection of before breaks says nothing yet.
            if getattr(request, "connects", False):
                self.failed()

        config.on_connection_create_start.append(connecting)
        config.on_request_end.append(ended)
        config.on_request_exception.append(broke)
        return config
