"""Limits how many tenants start at the same time, and decides who is next.

Thirty that start together on one node are all ready at the end, and the first
of them no earlier than the last. A few at a time take as long together, and
each of them is served after a few seconds.
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

HELD_SECONDS: Final = 20.0
"""A start that takes longer is stuck: it continues, and no longer counts against the limit."""
TAKEN_SECONDS: Final = 5.0
"""A turn that is not taken by then passes to the next: who was called may be paused, refused or unreadable by now."""
GROUP: Final = 6
"""So many pods that answered in time let one more begin at once."""
GROWTH: Final = 8
"""So many times as many start at once when a long queue goes well: what many do together costs the platform less."""
_LATEST: Final = datetime.max.replace(tzinfo=UTC)

_SortKey = tuple[int, int, datetime, str, str]
"""Its last part is the uid."""


@dataclass
class _Waiting:
    key: _SortKey
    name: str
    signup: bool
    called: float | None = None
    """When its turn came."""


class _Queue:
    """Who waits, by uid and in order. A thousand may, and each asks again and again: no question looks at all of them."""

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


class Starts:
    """For one event loop. Signups wait for other signups alone, and all others for them: a person watches each."""

    def __init__(self, at_once: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._at_once = at_once
        self._clock = clock
        self._begun: dict[str, float] = {}
        self._signups: set[str] = set()
        """Of those that have begun."""
        self._in_time = 0
        """Starts whose pods answered in time, since the queue began or since one was stuck."""
        self._queue = _Queue()
        self._stuck: dict[str, int] = {}
        """How often a start took too long: such a tenant comes after those that had no turn yet, signups as well."""
        self.wake: Callable[[str], None] = lambda name: None  # noqa: ARG005
        """Called with the name of a Tenant whose turn has come; to be set before the first start."""

    @property
    def waiting(self) -> int:
        return len(self._queue)

    async def run(self) -> None:
        """Look at the clock for those that wait: a thousand of them would look at it a thousand times."""
        while True:
            await asyncio.sleep(TAKEN_SECONDS)
            self.look()

    def look(self) -> None:
        """Let go of starts that are stuck, and call others than those that did not come when they were called."""
        self._let_go()
        self._call(self._next())

    def may_start(self, tenant: Tenant) -> bool:
        """Whether it begins now, or has begun; else it is woken when its turn comes."""
        self._let_go()
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
        """Its pod answers: the start went well, if that was in time."""
        self._let_go()
        self._in_time += uid in self._begun
        self.ended(uid)

    def ended(self, uid: str) -> None:
        """It starts no more, or cannot, or is gone: those that are next now are woken. It says nothing about how starts go."""
        self._stuck.pop(uid, None)
        known = uid in self._begun or uid in self._queue
        self._queue.drop(uid)
        self._release(uid)
        if not self._queue:
            self._in_time = 0
        if known:
            self._call(self._next())

    def _sort_key(self, tenant: Tenant) -> _SortKey:
        """A customer before a spare, then by age."""
        made = tenant.metadata.creation_timestamp or _LATEST
        uid = tenant.metadata.uid
        return self._stuck.get(uid, 0), int(tenant.is_spare), made, tenant.name, uid

    def _let_go(self) -> None:
        late = [uid for uid, begun in self._begun.items() if self._clock() - begun > HELD_SECONDS]
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
        """Those that may begin, by uid."""
        signups = self._first(self._at_once - len(self._signups), signup=True)
        return signups | self._first(self._room() - len(self._begun) - len(signups), signup=False)

    def _room(self) -> int:
        """How many may start at once: a long queue goes faster and faster, but not beside a signup, which a person watches."""
        if self._signups:
            return self._at_once
        return min(self._at_once + self._in_time // GROUP, GROWTH * self._at_once)

    def _first(self, count: int, *, signup: bool) -> dict[str, _Waiting]:
        """The first ones in the queue, without those that were called and have not come."""
        now = self._clock()
        waiting = (
            (uid, one)
            for uid, one in self._queue.in_order(signup=signup)
            if one.called is None or now - one.called <= TAKEN_SECONDS
        )
        return dict(islice(waiting, max(count, 0)))
