"""Caches one list of a whole server for a moment: many calls share it, for one of their own would cost each too much."""

import threading
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

FRESH_SECONDS: Final = 2.0
"""A change within this time is seen by the next survey, which reads for itself."""


class TtlCache(Generic[T]):
    """What `load` returned, for FRESH_SECONDS; safe for threads."""

    def __init__(self, load: Callable[[], T], clock: Callable[[], float] = time.monotonic) -> None:
        self._load = load
        self._clock = clock
        self._loading = threading.Lock()
        self._known: tuple[float, T] | None = None

    def get(self) -> T:
        """One thread loads; others wait for it, as long as its driver lets it."""
        with self._loading:
            known = self._known
            if known is None or self._clock() - known[0] >= FRESH_SECONDS:
                self._known = known = (self._clock(), self._load())
            return known[1]

    def put(self, value: T) -> None:
        """A survey has read it anyway."""
        self._known = (self._clock(), value)

    def invalidate(self) -> None:
        """We have just changed the server."""
        self._known = None
