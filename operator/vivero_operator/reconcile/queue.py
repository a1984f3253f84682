"""Work queue with priorities: each key at most once, in the order of their ranks, delayed ones when they are due.

A key that is added while it is processed is requeued afterwards, so no change is missed and no key is processed
twice at a time.
"""

import asyncio
import contextlib
import heapq
import itertools
import time
from collections import deque
from collections.abc import Callable
from enum import IntEnum
from typing import Generic, TypeVar

K = TypeVar("K")


class Rank(IntEnum):
    """Priority."""

    FINISHING = 0
    """One short pass from what someone waits for: of a thousand at once the first ones are done first."""
    AWAITED = 1
    """A person waits for it."""
    ROUTINE = 2


class WorkQueue(Generic[K]):
    """For one event loop; not for threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._by_rank: dict[Rank, deque[K]] = {rank: deque() for rank in Rank}
        self._waiting: dict[K, Rank] = {}
        self._running: set[K] = set()
        self._again: dict[K, Rank] = {}
        self._due: dict[K, float] = {}
        self._later: list[tuple[float, int, K, Rank]] = []
        self._order = itertools.count()
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def idle(self) -> bool:
        """Nothing waits and nothing runs; delayed keys do not count."""
        return not self._waiting and not self._running and not self._again

    def add(self, key: K, rank: Rank = Rank.ROUTINE) -> None:
        """Queue the key now; a delay it has is dropped."""
        self._due.pop(key, None)
        if key in self._running:
            self._again[key] = min(rank, self._again.get(key, rank))
        elif key not in self._waiting or rank < self._waiting[key]:
            self._enqueue(key, rank)

    def add_later(self, key: K, seconds: float, rank: Rank = Rank.ROUTINE) -> None:
        """Queue the key after a delay; the earlier of two delays counts, and any `add` overrides both."""
        due = self._clock() + seconds
        if key in self._waiting or key in self._again or self._due.get(key, due + 1) <= due:
            return
        self._due[key] = due
        heapq.heappush(self._later, (due, next(self._order), key, rank))
        self._changed.set()

    async def get(self) -> K:
        """The next key; call `done` with it afterwards."""
        while True:
            wait = self._release_due()
            for rank, keys in self._by_rank.items():
                while keys:
                    key = keys.popleft()
                    if self._waiting.get(key) is rank:  # else: it got a higher priority and was taken there
                        del self._waiting[key]
                        self._running.add(key)
                        return key
            self._changed.clear()
            # Not wait_for: of Python 3.11 it loses a cancellation that comes together with a key.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._changed.wait()

    def done(self, key: K) -> None:
        self._running.discard(key)
        if key in self._again:
            self._enqueue(key, self._again.pop(key))

    def _enqueue(self, key: K, rank: Rank) -> None:
        self._waiting[key] = rank
        self._by_rank[rank].append(key)
        self._changed.set()

    def _release_due(self) -> float | None:
        """Queue what is due; seconds until the next one is, None when there is none."""
        while self._later:
            due, _, key, rank = self._later[0]
            if self._due.get(key) == due and due > self._clock():
                return due - self._clock()
            heapq.heappop(self._later)
            if self._due.get(key) == due:
                self.add(key, rank)
        return None
