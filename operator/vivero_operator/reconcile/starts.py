"""How many tenants start at the same time, and who is next.

Thirty that start together on one node are all ready at the end, and the first
of them no earlier than the last. A few at a time take as long together, and
each of them is served after a few seconds.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from vivero_core.model.constants import LABEL_SIGNUP
from vivero_core.model.tenant import Tenant

HELD_SECONDS: Final = 20.0
"""A start that takes longer is stuck: it goes on, and no longer keeps others from beginning."""
_LATEST: Final = datetime.max.replace(tzinfo=UTC)

_Order = tuple[int, datetime, str]


def _order(tenant: Tenant) -> _Order:
    """A customer before a spare, then by age."""
    return int(tenant.is_spare), tenant.metadata.creation_timestamp or _LATEST, tenant.name


class Starts:
    """For one event loop. A signup always begins: a person watches it."""

    def __init__(self, at_once: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._at_once = at_once
        self._clock = clock
        self._begun: dict[str, float] = {}
        self._queue: dict[str, tuple[_Order, str]] = {}
        self.wake: Callable[[str], None] = lambda name: None  # noqa: ARG005
        """Called with the name of a Tenant whose turn has come; to be set before the first start."""

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def may_start(self, tenant: Tenant) -> bool:
        """Whether it begins now, or has begun; else it is woken when its turn comes."""
        self._let_go()
        uid = tenant.metadata.uid
        if uid in self._begun:
            return True
        self._queue[uid] = (_order(tenant), tenant.name)
        if LABEL_SIGNUP in tenant.metadata.labels or uid in self._next():
            del self._queue[uid]
            self._begun[uid] = self._clock()
            return True
        return False

    def ended(self, uid: str) -> None:
        """It is Ready, cannot start, or is gone: those that are next now are woken."""
        self._queue.pop(uid, None)
        if self._begun.pop(uid, None) is not None:
            self._wake_next()

    def _let_go(self) -> None:
        late = [uid for uid, begun in self._begun.items() if self._clock() - begun > HELD_SECONDS]
        for uid in late:
            del self._begun[uid]
        if late:
            self._wake_next()

    def _wake_next(self) -> None:
        for uid in self._next():
            self.wake(self._queue[uid][1])

    def _next(self) -> list[str]:
        """Uids of those that may begin."""
        free = max(0, self._at_once - len(self._begun))
        if free == 0:
            return []
        if free == 1:
            return [min(self._queue, key=lambda uid: self._queue[uid][0])] if self._queue else []
        return sorted(self._queue, key=lambda uid: self._queue[uid][0])[:free]
