"""One lane for each backing server: its own few threads, and a quick no while it is known to be down.

A server that hangs fills its own lane and no other: tenants elsewhere, and the event loop, go on.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

from vivero_core.errors import BackendUnavailableError

P = ParamSpec("P")
R = TypeVar("R")

THREADS: Final = 6
"""Calls at once on one server; a signup needs three."""
REST_SECONDS: Final = 2.0
"""After a server could not be reached, calls are refused for this long without trying."""
# Without the fault's own words: they may name another tenant's objects.
_RESTING: Final = "gave no answer a moment ago, next try soon"


class Lane:
    """Runs blocking calls against one server."""

    def __init__(
        self,
        system: str,
        clock: Callable[[], float] = time.monotonic,
        guard: Callable[[], None] = lambda: None,
    ) -> None:
        self.system = system
        self._guard = guard
        self._clock = clock
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=f"lane-{system}")
        self._closed_until = 0.0

    async def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """The function's result; BackendUnavailableError at once while the server is resting.

        The function is bounded in time by its driver. The guard may stop it as it may stop every write.
        """
        if self._clock() < self._closed_until:
            raise BackendUnavailableError(self.system, _RESTING)

        def guarded() -> R:
            self._guard()
            # Checked again: this call may have queued behind one that found the server down.
            if self._clock() < self._closed_until:
                raise BackendUnavailableError(self.system, _RESTING)
            try:
                return function(*args, **kwargs)
            except BackendUnavailableError:
                self._closed_until = self._clock() + REST_SECONDS
                raise

        return await asyncio.get_running_loop().run_in_executor(self._threads, guarded)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
