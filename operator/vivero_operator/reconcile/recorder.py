"""Posts events; what happens again within some minutes counts up the event that is there instead of making another.

As client-go's recorder does it: the same words about the same object are one
series; many different words for one reason become one series as well.
"""

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
from vivero_operator.manifests import event
from vivero_operator.manifests.event import Happening

logger = logging.getLogger(__name__)

SERIES_SECONDS: Final = 600.0
"""A repetition that comes later than this after the last one is an event of its own."""
SIMILAR: Final = 10
"""So many different notes for one reason about one object within a series' time become one series."""
REMEMBERED: Final = 4096
"""Series that are remembered, of all objects: client-go's number."""
_COMBINED: Final = "(combined from similar events) "

_Series = tuple[str, str, str, str]


@dataclass
class _Posted:
    """An event that is there."""

    name: str
    count: int
    last: float


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

    async def record(self, happening: Happening) -> None:
        """Post it, or count it; one that cannot be posted is logged and holds up nothing."""
        subject = happening.subject
        extra = {"reason": happening.reason, "kind": subject.kind, "object": subject.name}
        (logger.warning if happening.type == "Warning" else logger.info)("%s", happening.note, extra=extra)
        metrics.EVENTS.labels(subject.kind, happening.type, happening.reason).inc()
        combined = self._combined(happening)
        series = subject.uid, combined.type, combined.reason, combined.note
        known = self._posted.get(series)
        try:
            if known is not None and self._clock() - known.last < SERIES_SECONDS:
                await self._count(known)
            else:
                await self._post(series, combined)
        except BackendError as error:
            logger.warning("event not posted: %s", error, extra=extra)

    async def _post(self, series: _Series, happening: Happening) -> None:
        body = await self._kube.create(event.build(happening, self._identity, self._now()))
        self._posted[series] = _Posted(body["metadata"]["name"], 1, self._clock())
        self._posted.move_to_end(series)
        while len(self._posted) > REMEMBERED:
            self._posted.popitem(last=False)

    async def _count(self, known: _Posted) -> None:
        known.count, known.last = known.count + 1, self._clock()
        series = {"count": known.count, "lastObservedTime": event.micro_time(self._now())}
        try:
            await self._kube.patch(EVENT, known.name, {"series": series}, event.NAMESPACE)
        except KubeNotFoundError:
            known.last = -SERIES_SECONDS  # it has expired: the next one is an event of its own

    def _combined(self, happening: Happening) -> Happening:
        now, key = self._clock(), (happening.subject.uid, happening.reason)
        notes = {note: at for note, at in self._notes.get(key, {}).items() if now - at < SERIES_SECONDS}
        notes[happening.note] = now
        self._notes[key] = notes
        self._notes.move_to_end(key)
        while len(self._notes) > REMEMBERED:
            self._notes.popitem(last=False)
        if len(notes) <= SIMILAR:
            return happening
        # The note of the first one stands for all: a series has but one.
        return replace(happening, note=_COMBINED + next(iter(notes)))
