"""Limits how many tenants start concurrently, and decides which is next.

If thirty start together on one node, all become ready at the end, the first no
earlier than the last. A few at a time take as long in total, but each is ready
after a few seconds.
"""

import asyncio
import bisect
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Final

from vivero_core.model.constants import LABEL_SIGNUP
from vivero_core.model.tenant import Tenant

STUCK_SECONDS: Final = 20.0
"""A start that takes longer is stuck: it continues, but no longer counts towards the limit."""
CALL_SECONDS: Final = 5.0
"""A free slot not used within this time goes to the next in the queue: the tenant may be paused or unreadable."""
SUCCESSES_PER_SLOT: Final = 6
"""After so many starts in time the limit grows by one."""
MAX_GROWTH: Final = 8
"""The limit grows up to this factor in a long queue: starting many together costs the platform less each."""
_LATEST: Final = datetime.max.replace(tzinfo=UTC)

_SortKey = tuple[int, int, datetime, str, str]
"""Its last part is the uid."""


@dataclass
class _Waiting:
    key: _SortKey
    name: str
    signup: bool
    called: float | None = None
    """When it was offered a slot."""


class _Queue:
    """Waiting tenants by uid, and sorted. There may be a thousand, each asking repeatedly, so no query scans all."""

    def __init__(self) -> None:
        self._waiting: dict[str, _Waiting] = {}
        self._sorted: dict[bool, list[_SortKey]] = {True: [], False: []}
        """Of signups, and of all others; sorted."""

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, uid: str) -> bool:
        return uid in self._waiting

    def put(self, uid: str, one: _Waiting) -> None:
        self.drop(uid)
        self._waiting[uid] = one
        bisect.insort(self._sorted[one.signup], one.key)

    def drop(self, uid: str) -> None:
        one = self._waiting.pop(uid, None)
        if one is not None:
            keys = self._sorted[one.signup]
            del keys[bisect.bisect_left(keys, one.key)]

    def in_order(self, *, signup: bool) -> Iterator[tuple[str, _Waiting]]:
        return ((key[-1], self._waiting[key[-1]]) for key in self._sorted[signup])


class StartLimiter:
    """For one event loop. Signups only wait for other signups, and all others for signups: a person waits for each."""

    def __init__(self, at_once: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._at_once = at_once
        self._clock = clock
        self._begun: dict[str, float] = {}
        self._signups: set[str] = set()
        """Uids of the started ones that are signups."""
        self._in_time = 0
        """Starts in time since the queue was last empty or a start was stuck."""
        self._queue = _Queue()
        self._stuck: dict[str, int] = {}
        """How often a tenant's start was stuck: it is queued after tenants that had no slot yet, signups as well."""
        self.wake: Callable[[str], None] = lambda name: None  # noqa: ARG005
        """Called with the name of a Tenant that is offered a slot; must be set before the first start."""

    @property
    def waiting(self) -> int:
        return len(self._queue)

    async def run(self) -> None:
        """Tick periodically, on behalf of all that wait."""
        while True:
            await asyncio.sleep(CALL_SECONDS)
            self.tick()

    def tick(self) -> None:
        """Release slots of stuck starts, and offer unused slots to the next."""
        self._release_stuck()
        self._call(self._next())

    def may_start(self, tenant: Tenant) -> bool:
        """Whether the tenant has a slot; if not, it is queued and woken when one is free."""
        self._release_stuck()
        uid = tenant.metadata.uid
        if uid in self._begun:
            return True
        signup = LABEL_SIGNUP in tenant.metadata.labels and uid not in self._stuck
        self._queue.put(uid, _Waiting(self._sort_key(tenant), tenant.name, signup))
        following = self._next()
        if uid not in following:
            self._call(following)
            return False
        self._queue.drop(uid)
        self._begun[uid] = self._clock()
        if signup:
            self._signups.add(uid)
        return True

    def answered(self, uid: str) -> None:
        """The tenant's pod answers: its start succeeded."""
        self._release_stuck()
        self._in_time += uid in self._begun
        self.ended(uid)

    def ended(self, uid: str) -> None:
        """The tenant needs no slot any more, whatever the outcome; the next ones are woken."""
        self._stuck.pop(uid, None)
        known = uid in self._begun or uid in self._queue
        self._queue.drop(uid)
        self._release(uid)
        if not self._queue:
            self._in_time = 0
        if known:
            self._call(self._next())

    def _sort_key(self, tenant: Tenant) -> _SortKey:
        """Customers before spares, then by age."""
        made = tenant.metadata.creation_timestamp or _LATEST
        uid = tenant.metadata.uid
        return self._stuck.get(uid, 0), int(tenant.is_spare), made, tenant.name, uid

    def _release_stuck(self) -> None:
        late = [uid for uid, begun in self._begun.items() if self._clock() - begun > STUCK_SECONDS]
        for uid in late:
            self._release(uid)
            self._stuck[uid] = self._stuck.get(uid, 0) + 1
        if late:
            self._in_time = 0
            self._call(self._next())

    def _call(self, following: dict[str, _Waiting]) -> None:
        for one in following.values():
            if one.called is None:
                one.called = self._clock()
                self.wake(one.name)

    def _release(self, uid: str) -> None:
        self._begun.pop(uid, None)
        self._signups.discard(uid)

    def _next(self) -> dict[str, _Waiting]:
        """Waiting tenants for which there are slots, by uid."""
        signups = self._first(self._at_once - len(self._signups), signup=True)
        return signups | self._first(self._limit() - len(self._begun) - len(signups), signup=False)

    def _limit(self) -> int:
        """The current limit: it grows with a long queue, but not while a signup starts."""
        if self._signups:
            return self._at_once
        return min(self._at_once + self._in_time // SUCCESSES_PER_SLOT, MAX_GROWTH * self._at_once)

    def _first(self, count: int, *, signup: bool) -> dict[str, _Waiting]:
        """The first in the queue, without those that did not use an offered slot."""
        now = self._clock()
        waiting = (
            (uid, one)
            for uid, one in self._queue.in_order(signup=signup)
            if one.called is None or now - one.called <= CALL_SECONDS
        )
        return dict(islice(waiting, max(count, 0)))
