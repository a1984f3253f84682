"""A circuit breaker with a bulkhead (a small thread pool) for each backing server (ADR 0013).

A server that hangs blocks only its own threads: tenants on other servers, and the event loop, are not affected.
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
from vivero_core.tracing.spans import Kind, span

from vivero_operator import metrics
from vivero_operator.errors import FencedError
from vivero_operator.policies import backoff

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

THREADS: Final = 6
"""Concurrent calls to one server; a signup needs three."""
BACKGROUND_THREADS: Final = 4
"""Concurrent calls that no person waits for: the other threads are reserved for signups."""
LONG_THREADS: Final = 2
"""Concurrent calls that may take seconds, depending on a tenant's data: other calls continue in parallel."""
QUEUE_SECONDS: Final = 5.0
"""Timeout of a call that waits for a thread: its tenant's reconcile ends and makes room for others. If no call at all
ended in that time the server hangs."""
STABLE_SECONDS: Final = 30.0
"""A server that fails again within this time keeps its back-off between probes."""
# Without the text of the error: it may name another tenant's objects.
_OPEN: Final = "circuit breaker open, retrying soon"
_BUSY: Final = "all threads are busy, retrying soon"
_CHANGED: Final = "address or credentials were changed, retrying soon"

URGENT: Final[ContextVar[bool]] = ContextVar("urgent", default=False)
"""Whether a person waits for this work; tasks inherit it from the one that starts them."""


class CircuitBreaker:
    """Runs blocking calls against one server, on the event loop that first calls it.

    Closed: calls pass. After a call found the server unavailable, or all calls
    hang: open, all calls fail fast. Then half-open: after a pause only one `probe`
    tries the server, repeatedly with back-off until it responds; then `recovered`
    is called, and the breaker closes.

    An error about one tenant does not open it: a refusal, or unfinished work
    (BackendUnfinishedError).
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
        self._threads = ThreadPoolExecutor(THREADS + 1, thread_name_prefix=f"backend-{system}")  # one for the probe
        self._all, self._background = asyncio.Semaphore(THREADS), asyncio.Semaphore(BACKGROUND_THREADS)
        self._long = asyncio.Semaphore(LONG_THREADS)
        self._running = 0
        self._finished: Callable[[], None] | None = None
        self._failures = 0
        metrics.CIRCUIT_OPEN.labels(system).set(0)  # there from the start on, for who looks at a server that is well
        self._closed_since = self._last_end = clock()
        self._recovery: asyncio.Task[None] | None = None
        self._shut_down = False

    @property
    def is_open(self) -> bool:
        """Whether calls fail fast: the circuit breaker is open or half open."""
        return self._recovery is not None

    async def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """The function's result; BackendUnavailableError without a call while the breaker is open or no thread is free.

        The function must have a timeout of its own. The fence may stop it, like every write.
        """
        self._refuse()
        async with self._thread_slot():
            return await self._run(functools.partial(function, *args, **kwargs))

    async def long(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Like `call` for work that may take seconds, such as erasing a tenant's data: only a few concurrently."""
        self._refuse()
        async with self._thread_slot(self._long):
            return await self._run(functools.partial(function, *args, **kwargs))

    def shut_down(self, finished: Callable[[], None] = lambda: None) -> None:
        """Accept no more calls; when the running ones have ended, `finished` is called in one of the threads."""
        if self._shut_down:
            return
        self._shut_down = True
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
        if self._shut_down:
            raise BackendUnavailableError(self.system, _CHANGED)
        if self.is_open:
            raise BackendUnavailableError(self.system, _OPEN)

    async def _run(self, function: functools.partial[R]) -> R:
        # Checked again: the previous call in the queue may have found the server down.
        self._refuse()
        since = self._closed_since
        self._running += 1
        try:
            with span(f"{self.system} {getattr(function.func, '__name__', 'call')}", Kind.CLIENT):
                return await self._in_thread(function)
        except FencedError:
            raise  # about us, not about the server
        except BackendUnavailableError:
            # A call that hung since before the last recovery says nothing about the present.
            if since == self._closed_since:
                self._open("the server is unavailable")
            raise
        finally:
            self._last_end = self._clock()
            self._running -= 1
            self._finish_if_idle()

    @contextlib.asynccontextmanager
    async def _thread_slot(self, *first: asyncio.Semaphore) -> AsyncIterator[None]:
        """Wait for a thread. A timeout for `first` means too many calls of that kind, not that the server hangs."""
        async with contextlib.AsyncExitStack() as stack:
            has_first = False
            try:
                async with asyncio.timeout(QUEUE_SECONDS):
                    for semaphore in first:
                        await stack.enter_async_context(semaphore)
                    has_first = True
                    if not URGENT.get():
                        await stack.enter_async_context(self._background)
                    await stack.enter_async_context(self._all)
            except TimeoutError:
                if has_first and self._clock() - self._last_end > QUEUE_SECONDS:
                    self._open("timeout")
                raise BackendUnavailableError(self.system, _BUSY) from None
            yield

    async def _in_thread(self, function: Callable[[], R]) -> R:
        def fenced() -> R:
            self._fence()
            return function()

        return await asyncio.get_running_loop().run_in_executor(self._threads, fenced)

    def _open(self, cause: str) -> None:
        if self._recovery is None and not self._shut_down:
            if self._clock() - self._closed_since > STABLE_SECONDS:
                self._failures = 0
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
        self._failures += 1
        await asyncio.sleep(backoff.probe_delay(self._failures, random.random()))  # noqa: S311  jitter, no secret
        try:
            await self._in_thread(self._probe)
        except BackendUnavailableError:
            return False
        except BackendError as error:
            logger.warning("circuit breaker probe was refused: %s", error, extra={"system": self.system})
        return True
