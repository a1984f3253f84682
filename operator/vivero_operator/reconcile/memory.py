"""What was found done a moment ago: a tenant comes by several times while it starts, and need not be read anew each time.

Only for a short while and only for the same wants, so it hides no drift; a resync starts without it.
"""

import time
from collections.abc import Callable
from typing import Final

from vivero_operator.policies.outcome import Outcome

FRESH_SECONDS: Final = 60.0


class Memory:
    """Outcomes of steps by tenant uid."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[str, dict[str, tuple[str, float, Outcome]]] = {}

    def recall(self, uid: str, step: str, fingerprint: str) -> Outcome | None:
        known = self._known.get(uid, {}).get(step)
        if known is None or known[0] != fingerprint or self._clock() - known[1] > FRESH_SECONDS:
            return None
        return known[2]

    def keep(self, uid: str, step: str, fingerprint: str, outcome: Outcome) -> None:
        self._known.setdefault(uid, {})[step] = (fingerprint, self._clock(), outcome)

    def forget(self, uid: str) -> None:
        self._known.pop(uid, None)
