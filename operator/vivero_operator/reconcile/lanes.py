"""One lane for each backing server: a bulkhead (its own few threads) and a circuit breaker (ADR 0013).

A server that hangs fills its own lane and no other: tenants elsewhere, and the event loop, go on.
"""

import asyncio
import contextlib
import functools
import logging
import random
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Final, ParamSpec, TypeVar

from vivero_core.errors import BackendError, BackendUnavailableError

from vivero_operator import metrics
from vivero_operator.errors import FencedError
from vivero_operator.policies import backoff

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

THREADS: Final = 6
"""Calls at once on one server; a signup needs three."""
PATIENT_THREADS: Final = 4
"""Calls at once that no person waits for: the rest of the threads is always there for signups."""
LONG_THREADS: Final = 2
"""Calls at once that may take seconds, because a tenant's data decides that: the rest goes on beside them."""
TURN_SECONDS: Final = 5.0
"""A call that gets no thread for so long is refused: its tenant's pass ends, and makes room for others'. If no call at
all ended in that time the server hangs."""
STEADY_SECONDS: Final = 30.0
"""A server that fails again within this time keeps its back-off between probes."""
# Without the text of the error: it may name another tenant's objects.
_OPEN: Final = "circuit breaker open, retrying soon"
_BUSY: Final = "all threads are busy, retrying soon"
_REPLACED: Final = "address or credentials were changed, retrying soon"

URGENT: Final[ContextVar[bool]] = ContextVar("urgent", default=False)
"""Whether a person waits for this work; tasks inherit it from the one that starts them."""


class Lane:
    """Runs blocking calls against one server, on the event loop that first calls it.

    Closed: calls pass. After one found the server unavailable, or none came
    back: open, all fail fast. Then half open: after a pause one `probe`, and
    only it, tries the server, and again with back-off until it responds;
    `recovered` is called, and calls pass.

    An error about one tenant opens nothing: a refusal, or work that is not
    finished yet (BackendUnfinishedError).
    """

    def __init__(
        self,
        system: str,
        probe: Callable[[], object],
        *,
        recovered: Callable[[], None] = lambda: None,
        fence: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.system = system
        self._probe = probe
        self._recovered = recovered
        self._fence = fence
        self._clock = clock
        self._threads = ThreadPoolExecutor(THREADS + 1, thread_name_prefix=f"lane-{system}")  # one is the probe's
        self._all, self._patient = asyncio.Semaphore(THREADS), asyncio.Semaphore(PATIENT_THREADS)
        self._long = asyncio.Semaphore(LONG_THREADS)
        self._running = 0
        self._finished: Callable[[], None] | None = None
        self._faults = 0
        self._closed_since = self._last_end = clock()
        self._recovery: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def is_open(self) -> bool:
        """Whether calls fail fast: the circuit breaker is open or half open."""
        return self._recovery is not None

    async def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """The function's result; BackendUnavailableError without a try while the circuit breaker is open or no thread is free.

        The function is bounded in time by its driver. The fence may stop it, as it may stop every write.
        """
        self._refuse()
        async with self._turn():
            return await self._run(functools.partial(function, *args, **kwargs))

    async def long(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """The same for work that may take seconds, such as erasing a tenant's data: only a few at once."""
        self._refuse()
        async with self._turn(self._long):
            return await self._run(functools.partial(function, *args, **kwargs))

    def close(self, finished: Callable[[], None] = lambda: None) -> None:
        """No call begins any more; when those that run have ended, `finished` is called in a thread of the lane."""
        if self._closed:
            return
        self._closed = True
        self._finished = finished
        if self._recovery is not None:
            self._recovery.cancel()
        self._finish_if_idle()

    def _finish_if_idle(self) -> None:
        if self._finished is not None and self._running == 0:
            self._threads.submit(self._finished)
            self._finished = None
            self._threads.shutdown(wait=False)

    def _refuse(self) -> None:
        if self._closed:
            raise BackendUnavailableError(self.system, _REPLACED)
        if self.is_open:
            raise BackendUnavailableError(self.system, _OPEN)

    async def _run(self, function: Callable[[], R]) -> R:
        # Again: the one before it in the queue may have found the server down.
        self._refuse()
        since = self._closed_since
        self._running += 1
        try:
            return await self._in_thread(function)
        except FencedError:
            raise  # about us, not about the server
        except BackendUnavailableError:
            # One that hung since before the server last recovered says nothing new.
            if since == self._closed_since:
                self._open("the server is unavailable")
            raise
        finally:
            self._last_end = self._clock()
            self._running -= 1
            self._finish_if_idle()

    @contextlib.asynccontextmanager
    async def _turn(self, *first: asyncio.Semaphore) -> AsyncIterator[None]:
        """Have a thread. That `first` is not to be had says how much of that kind is done, and nothing of the server."""
        async with contextlib.AsyncExitStack() as stack:
            had_first = False
            try:
                async with asyncio.timeout(TURN_SECONDS):
                    for semaphore in first:
                        await stack.enter_async_context(semaphore)
                    had_first = True
                    if not URGENT.get():
                        await stack.enter_async_context(self._patient)
                    await stack.enter_async_context(self._all)
            except TimeoutError:
                if had_first and self._clock() - self._last_end > TURN_SECONDS:
                    self._open("timeout")
                raise BackendUnavailableError(self.system, _BUSY) from None
            yield

    async def _in_thread(self, function: Callable[[], R]) -> R:
        def fenced() -> R:
            self._fence()
            return function()

        return await asyncio.get_running_loop().run_in_executor(self._threads, fenced)

    def _open(self, cause: str) -> None:
        if self._recovery is None and not self._closed:
            if self._clock() - self._closed_since > STEADY_SECONDS:
                self._faults = 0
            self._recovery = asyncio.create_task(self._recover(), name=f"recover {self.system}")
            metrics.CIRCUIT_OPEN.labels(self.system).set(1)
            logger.warning("circuit breaker open: %s", cause, extra={"system": self.system})

    async def _recover(self) -> None:
        """Returns when the server has responded to a probe."""
        try:
            while not await self._responds():
                pass
        finally:
            self._recovery = None
            self._closed_since = self._clock()
            metrics.CIRCUIT_OPEN.labels(self.system).set(0)
        logger.info("circuit breaker closed: the server responds", extra={"system": self.system})
        self._recovered()

    async def _responds(self) -> bool:
        """One probe after a pause; a refusal is a response too."""
        self._faults += 1
        await asyncio.sleep(backoff.probe_delay(self._faults, random.random()))  # noqa: S311  jitter, no secret
        try:
            await self._in_thread(self._probe)
        except BackendUnavailableError:
            return False
        except BackendError as error:
            logger.warning("circuit breaker probe was refused: %s", error, extra={"system": self.system})
        return True
