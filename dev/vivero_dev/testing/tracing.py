"""A plugin of coverage that keeps CPython 3.11 from standing still at the end of a thread.

CPython 3.11 runs the first instruction of a traced Python function again and
again while a pending call waits and another one is at work (`DO_TRACING` in
ceval.c asks for pending calls before it moves on). greenlet clears what an ended
thread leaves in a pending call, and coverage's tracer keeps for each greenlet an
entry in a WeakKeyDictionary, whose callback is a Python function. So two threads
that end at the same moment can make a measured program spin without end. CPython
3.12 makes its traces of monitoring events, without that loop, and needs none of
this.
"""

import sys
import weakref
from collections.abc import Iterator, Mapping
from typing import Any


class UntracedDictionary(weakref.WeakKeyDictionary[Any, Any]):
    """Its callback is written in C, which nobody traces.

    The parent's waits until nobody iterates; here iterations go over a copy.
    """

    data: dict[weakref.ref[Any], Any]
    _remove: Any

    def __init__(self, entries: Mapping[Any, Any] | None = None) -> None:
        super().__init__()
        self._remove = self.data.__delitem__
        self.update(entries or {})

    def items(self) -> Iterator[tuple[Any, Any]]:  # type: ignore[override]  # as in weakref.py: the types promise views
        held = [(reference(), value) for reference, value in list(self.data.items())]
        return iter([(key, value) for key, value in held if key is not None])

    def keys(self) -> Iterator[Any]:  # type: ignore[override]
        return iter([key for key, _ in self.items()])

    __iter__ = keys

    def values(self) -> Iterator[Any]:  # type: ignore[override]
        return iter([value for _, value in self.items()])


def coverage_init(_plugins: object, _options: dict[str, Any]) -> None:
    """What coverage calls before it makes its first tracer, which looks the class up by its name."""
    if sys.version_info < (3, 12):
        weakref.WeakKeyDictionary = UntracedDictionary  # type: ignore[assignment, misc]
