"""What was found done a moment ago: a tenant comes by several times while it starts, and need not be read anew each time.

Only for a short while and only for the same wants, so it hides no drift; a resync starts without it, and so does a
pass over a tenant that somebody seems to have tampered with.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from vivero_operator.policies.outcome import Outcome

FRESH_SECONDS: Final = 60.0


class Memory:
    """Outcomes of steps by tenant uid."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[str, dict[str, tuple[str, float, Outcome]]] = {}
        self._epoch = 0
        self._forgotten: dict[str, dict[str | None, int]] = {}
        self._suspects: set[str] = set()
        self._begun: dict[str, float] = {}

    @property
    def epoch(self) -> int:
        """Ask at the start of a pass, and give it to `keep`."""
        return self._epoch

    def since_begin(self, uid: str) -> timedelta:
        """How long ago this was first asked, by the tenant's first pass: when it was made says nothing of when its turn came."""
        now = self._clock()
        return timedelta(seconds=now - self._begun.setdefault(uid, now))

    def recall(self, uid: str, step: str, fingerprint: str) -> Outcome | None:
        known = self._known.get(uid, {}).get(step)
        if known is None or known[0] != fingerprint or self._clock() - known[1] > FRESH_SECONDS:
            return None
        return known[2]

    def keep(self, uid: str, step: str, fingerprint: str, outcome: Outcome, epoch: int) -> None:
        """Not kept when it was to be forgotten since `epoch`: what this pass saw may be older than what made us forget."""
        forgotten = self._forgotten.get(uid, {})
        if max(forgotten.get(None, 0), forgotten.get(step, 0)) <= epoch:
            self._known.setdefault(uid, {})[step] = (fingerprint, self._clock(), outcome)

    def forget(self, uid: str, step: str | None = None) -> None:
        """One step's outcome, or all."""
        if step is None:
            self._known.pop(uid, None)
        else:
            self._known.get(uid, {}).pop(step, None)
        self._epoch += 1
        self._forgotten.setdefault(uid, {})[step] = self._epoch

    def suspect(self, uid: str, step: str | None = None) -> None:
        """Somebody touched what is the tenant's: the next pass looks at what this step makes, or at everything, and says what it mended."""
        self.forget(uid, step)
        self._suspects.add(uid)

    def take_suspicion(self, uid: str) -> bool:
        """Whether the tenant was suspect; once."""
        known = uid in self._suspects
        self._suspects.discard(uid)
        return known

    def drop(self, uid: str) -> None:
        """The tenant is gone for good."""
        self._begun.pop(uid, None)
        self._known.pop(uid, None)
        self._forgotten.pop(uid, None)
        self._suspects.discard(uid)
