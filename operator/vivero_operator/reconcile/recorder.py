"""Posts events; a repetition within some minutes increments the series of the existing event instead of creating another.

As client-go's recorder does it: the same words about the same object are one
series; many different words for one reason become one series as well. What
cannot be posted now is kept, counted, and posted later; nothing waits for it.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import EVENT
from vivero_core.errors import BackendError

from vivero_operator import metrics
from vivero_operator.manifests import event as manifest
from vivero_operator.manifests.event import ObjectEvent

logger = logging.getLogger(__name__)

SERIES_SECONDS: Final = 600.0
"""A repetition that comes later than this after the last one is an event of its own."""
SIMILAR: Final = 10
"""So many different notes for one reason about one object within a series' time become one series."""
REMEMBERED: Final = 4096
"""Series that are remembered, of all objects: client-go's number."""
POST_SECONDS: Final = 2.0
"""How long a pass waits for one event."""
AGAIN_SECONDS: Final = 10.0
"""How soon events that could not be posted are tried again."""
KEPT: Final = 256
"""Series that wait to be posted; the oldest ones go first, and are in the log."""
_COMBINED: Final = "(combined from similar events) "

_Series = tuple[str, str, str, str]


@dataclass
class _Posted:
    """An event that is there."""

    name: str
    count: int
    last: float


@dataclass
class _Unposted:
    """An event that could not be posted yet, and how often it occurred."""

    event: ObjectEvent
    first: datetime
    last: datetime
    count: int = 0


class Recorder:
    """One for the life of the program."""

    def __init__(
        self,
        kube: KubeClient,
        identity: str,
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kube = kube
        self._identity = identity
        self._now = now
        self._clock = clock
        self._posted: OrderedDict[_Series, _Posted] = OrderedDict()
        self._notes: OrderedDict[tuple[str, str], dict[str, float]] = OrderedDict()
        self._unposted: OrderedDict[_Series, _Unposted] = OrderedDict()

    async def record(self, event: ObjectEvent) -> None:
        """Post it, or count it; one that cannot be posted is logged, kept for later, and holds up nothing."""
        subject = event.subject
        extra = {"reason": event.reason, "kind": subject.kind, "object": subject.name}
        (logger.warning if event.type == "Warning" else logger.info)("%s", event.note, extra=extra)
        metrics.EVENTS.labels(subject.kind, event.type, event.reason).inc()
        combined, now = self._combined(event), self._now()
        series = subject.uid, combined.type, combined.reason, combined.note
        waiting = self._unposted.pop(series, None) or _Unposted(combined, now, now)
        waiting.last, waiting.count = now, waiting.count + 1
        await self._settle(series, waiting)

    async def run(self) -> None:
        """Try again what could not be posted; until cancelled."""
        while True:
            await asyncio.sleep(AGAIN_SECONDS)
            for series in list(self._unposted):
                waiting = self._unposted.pop(series, None)
                if waiting is not None and not await self._settle(series, waiting):
                    break

    async def _settle(self, series: _Series, waiting: _Unposted) -> bool:
        """Whether the API server has answered."""
        try:
            async with asyncio.timeout(POST_SECONDS):
                await self._post(series, waiting)
        except (BackendError, TimeoutError) as error:
            subject = waiting.event.subject
            extra = {"reason": waiting.event.reason, "kind": subject.kind, "object": subject.name}
            logger.warning("posting an event failed: %s", error or "timeout", extra=extra)
            if isinstance(error, TimeoutError) or error.retryable:
                self._keep(series, waiting)
                return False
        return True

    def _keep(self, series: _Series, waiting: _Unposted) -> None:
        known = self._unposted.pop(series, None)
        if known is not None:  # it happened once more while this was tried
            waiting.last, waiting.count = known.last, waiting.count + known.count
        self._unposted[series] = waiting
        while len(self._unposted) > KEPT:
            self._unposted.popitem(last=False)

    async def _post(self, series: _Series, waiting: _Unposted) -> None:
        known = self._posted.get(series)
        if known is not None and self._clock() - known.last < SERIES_SECONDS and await self._count(known, waiting):
            return
        body = manifest.build(waiting.event, self._identity, waiting.first)
        if waiting.count > 1:
            body["series"] = manifest.series(waiting.count, waiting.last)
        posted = await self._kube.create(body)
        self._posted[series] = _Posted(posted["metadata"]["name"], waiting.count, self._clock())
        self._posted.move_to_end(series)
        while len(self._posted) > REMEMBERED:
            self._posted.popitem(last=False)

    async def _count(self, known: _Posted, waiting: _Unposted) -> bool:
        """False when the event has expired: then what is to be said is an event of its own."""
        count = known.count + waiting.count
        patch = {"series": manifest.series(count, waiting.last)}
        try:
            await self._kube.patch(EVENT, known.name, patch, manifest.NAMESPACE)
        except KubeNotFoundError:
            return False
        known.count, known.last = count, self._clock()
        return True

    def _combined(self, event: ObjectEvent) -> ObjectEvent:
        now, key = self._clock(), (event.subject.uid, event.reason)
        notes = {note: at for note, at in self._notes.get(key, {}).items() if now - at < SERIES_SECONDS}
        notes[event.note] = now
        self._notes[key] = notes
        self._notes.move_to_end(key)
        while len(self._notes) > REMEMBERED:
            self._notes.popitem(last=False)
        if len(notes) <= SIMILAR:
            return event
        # The note of the first one stands for all: a series has but one.
        return replace(event, note=_COMBINED + next(iter(notes)))
