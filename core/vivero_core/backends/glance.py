"""A look at all of a server that many calls share for a moment, because each of their own would cost too much."""

import threading
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

FRESH_SECONDS: Final = 2.0
"""What changes in between is seen by the next survey, which looks for itself."""


class Glance(Generic[T]):
    """What `look` returned, believed for FRESH_SECONDS; safe for threads."""

    def __init__(self, look: Callable[[], T], clock: Callable[[], float] = time.monotonic) -> None:
        self._look = look
        self._clock = clock
        self._looking = threading.Lock()
        self._known: tuple[float, T] | None = None

    def recent(self) -> T:
        """One thread looks; others wait for it, as long as its driver lets it."""
        with self._looking:
            known = self._known
            if known is None or self._clock() - known[0] >= FRESH_SECONDS:
                self._known = known = (self._clock(), self._look())
            return known[1]

    def put(self, seen: T) -> None:
        """A survey has looked anyway."""
        self._known = (self._clock(), seen)

    def forget(self) -> None:
        """We have just changed it."""
        self._known = None
