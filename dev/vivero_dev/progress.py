"""The share of the expected work that is done, and an estimate of the remaining time; pure."""

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

_SURE_SHARE = 0.05
"""Below this share the speed of this machine is unknown, and the initial estimate is used."""
_MINUTE = 60.0


@dataclass(slots=True)
class Progress:
    """`expected` has the approximate CPU seconds of each step."""

    expected: Mapping[str, float]
    processors: int = field(default_factory=lambda: os.cpu_count() or 1)
    _done: dict[str, float] = field(default_factory=dict)
    # Steps run in threads.
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reached(self, step: str, share: float) -> None:
        """Record the share of the step that is done, from 0 to 1; it never decreases."""
        with self._lock:
            self._done[step] = max(self._done.get(step, 0.0), min(share, 1.0))

    @property
    def share(self) -> float:
        """The share of all expected work that is done, from 0 to 1."""
        total = sum(self.expected.values())
        return self._work_done() / total if total else 1.0

    def left(self, elapsed: float) -> float:
        """Estimated remaining seconds, `elapsed` seconds after the start, at this machine's speed once it is known."""
        done = self._work_done()
        rest = sum(self.expected.values()) - done
        return rest * elapsed / done if done and self.share >= _SURE_SHARE else rest / self.processors

    def _work_done(self) -> float:
        with self._lock:
            return sum(self.expected.get(step, 0.0) * share for step, share in self._done.items())


def in_words(share: float, left: float) -> str:
    """For example "43 % done, about 5 min left"."""
    rest = "less than a minute" if left < _MINUTE else f"about {left / _MINUTE:.0f} min"
    return f"{share:.0%} done, {rest} left"
