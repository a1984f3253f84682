"""Takes keys from the work queue and reconciles them, many at once; requeues each with back-off or for the resync."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import structlog
from vivero_core.errors import BackendError

from vivero_operator import metrics
from vivero_operator.policies import backoff
from vivero_operator.policies.outcome import State
from vivero_operator.policies.tenant_conditions import Finding
from vivero_operator.reconcile.queue import Rank, WorkQueue


@dataclass(frozen=True)
class Result:
    """When to come back: after a fault with back-off, after `retry_after` seconds, or at the next resync."""

    failed: bool = False
    retry_after: float | None = None
    urgent: bool = False
    """Whether a person waits for it."""
    gone: bool = False
    """The object is not there any more: it does not come back by itself."""


def result_of(findings: Sequence[Finding], put_off: float | None = None) -> Result:
    """`put_off`: seconds until something can be done that was left."""
    delays = [one for one in (put_off, *(each.outcome.retry_after for each in findings)) if one is not None]
    failed = any(one.outcome.state is State.FAILED for one in findings)
    return Result(failed, min(delays, default=None))


logger = logging.getLogger(__name__)

DRAIN_SECONDS: Final = 20.0
"""How long reconciles may continue after the signal to stop; kubelet waits 30 s."""
_RESYNC_SPREAD: Final = 0.2


@dataclass(frozen=True)
class Failure:
    """How often in a row a key has failed, and whether someone waits for it."""

    count: int
    urgent: bool


ORPHAN: Final = "Orphan"
"""Beside our kinds: what is left of a tenant, and its name the tenant's id."""


class Key(NamedTuple):
    """What to reconcile: an object of a kind that is registered (kinds.py), or an orphan."""

    kind: str
    name: str


Reconcile = Callable[[str], Awaitable[Result]]


class Controller:
    """Runs until cancelled; then lets what is under way end."""

    def __init__(
        self,
        queue: WorkQueue[Key],
        reconcilers: Mapping[str, Reconcile],
        *,
        concurrency: int,
        resync_seconds: float,
    ) -> None:
        self._queue = queue
        self._reconcilers = reconcilers
        self._slots = asyncio.Semaphore(concurrency)
        self._resync_seconds = resync_seconds
        self._failures: dict[Key, Failure] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        try:
            while True:
                await self._slots.acquire()
                key = await self._queue.get()
                task = asyncio.create_task(self._work(key), name=f"reconcile {key.kind} {key.name}")
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        finally:
            await self._drain()

    def wake(self) -> None:
        """Retry all that failed: the server that has just recovered may be the cause."""
        for key, failure in self._failures.items():
            wait = 0.0 if failure.urgent else random.uniform(0, backoff.RETURN_SECONDS)  # noqa: S311  jitter, no secret
            self._queue.add_later(key, wait, _rank(failure.urgent))
        self._failures.clear()

    async def _drain(self) -> None:
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=DRAIN_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _work(self, key: Key) -> None:
        started = time.perf_counter()
        result = await self._reconcile(key)
        metrics.RECONCILES.labels(key.kind, "failed" if result.failed else "ok").observe(time.perf_counter() - started)
        metrics.QUEUE_DEPTH.set(len(self._queue))
        self._queue.done(key)
        self._slots.release()
        self._schedule(key, result)

    async def _reconcile(self, key: Key) -> Result:
        structlog.contextvars.bind_contextvars(kind=key.kind, object=key.name)  # of this task, for each line
        try:
            return await self._reconcilers[key.kind](key.name)
        except BackendError as error:
            # Mostly a write conflict, which a retry resolves.
            logger.warning("reconcile failed, retrying: %s", error, extra={"kind": key.kind, "object": key.name})
        except Exception:
            # A bug in one pass must not stop the others; it is loud, counted, and tried again with back-off.
            logger.exception("reconcile failed with an unexpected error", extra={"kind": key.kind, "object": key.name})
            metrics.UNEXPECTED_ERRORS.labels(key.kind).inc()
        return Result(failed=True)

    def _schedule(self, key: Key, result: Result) -> None:
        if result.failed:
            before = self._failures.get(key)
            failure = self._failures[key] = Failure(before.count + 1 if before else 1, result.urgent)
            wait = backoff.delay(failure.count, random.random())  # noqa: S311  jitter, no secret
            self._queue.add_later(key, wait, _rank(failure.urgent))
            return
        self._failures.pop(key, None)
        if result.gone:
            return
        spread = random.uniform(1 - _RESYNC_SPREAD, 1 + _RESYNC_SPREAD)  # noqa: S311  jitter, no secret
        self._queue.add_later(key, result.retry_after or self._resync_seconds * spread, _rank(result.urgent))


def _rank(urgent: bool) -> Rank:  # noqa: FBT001  its only argument
    return Rank.AWAITED if urgent else Rank.ROUTINE
