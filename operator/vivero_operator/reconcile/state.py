"""In-memory state of reconciliation by tenant: cached outcomes of steps, suspected drift, back-off of corrections.

An outcome is cached for a short while and for the same desired state only, so it hides no drift: a tenant is reconciled
several times while it starts, and need not be read again each time. A resync starts without the cache, and so does a
pass over a tenant with suspected drift.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from vivero_operator.policies.outcome import Outcome

FRESH_SECONDS: Final = 60.0
CONTEST_SECONDS: Final = 600.0
"""Corrections of one thing within this time are one conflict."""
CONTEST_FROM: Final = 4
"""This many corrections are a conflict with another controller or a script: reported, and backed off."""
CONTEST_LONGEST: Final = 45.0
"""Longest pause between two corrections of contested drift: a manual change is corrected within a minute."""
CONTEST_LONGEST_URGENT: Final = 15.0
"""The same for what users may notice, and for a pass over a tenant with contested drift."""
CONTEST_REMEMBERED: Final = 16


class ReconcileState:
    """What passes over a tenant remember, by its uid."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[str, dict[str, tuple[str, float, Outcome]]] = {}
        self._epoch = 0
        self._forgotten: dict[str, dict[str | None, int]] = {}
        self._suspects: set[str] = set()
        self._begun: dict[str, float] = {}
        self._corrections: dict[str, dict[str, list[float]]] = {}
        self._told: dict[str, dict[str, str]] = {}
        self._expected: dict[str, set[str]] = {}

    @property
    def epoch(self) -> int:
        """Ask at the start of a pass, and give it to `keep`."""
        return self._epoch

    def since_begin(self, uid: str) -> timedelta:
        """How long ago this was first asked, by the tenant's first pass: when it was made says nothing of when its turn came."""
        now = self._clock()
        return timedelta(seconds=now - self._begun.setdefault(uid, now))

    def told(self, uid: str, step: str, wanted: str) -> bool | None:
        """Whether the same was last written to a server for this tenant, by a digest; None when this program has not written yet."""
        known = self._told.setdefault(uid, {})
        before, known[step] = known.get(step), wanted
        return None if before is None else before == wanted

    def expect_news(self, uid: str, step: str) -> None:
        """Something else is to be written to the server than before."""
        self._told.setdefault(uid, {})[step] = ""

    def expected(self, uid: str, what: str) -> bool:
        """Whether this program has made or seen this object of the tenant before; from now on it has."""
        known = self._expected.setdefault(uid, set())
        before = what in known
        known.add(what)
        return before

    def expect_no_more(self, uid: str, what: str) -> None:
        """This program takes it away itself."""
        self._expected.get(uid, set()).discard(what)

    def begin_again(self, uid: str) -> None:
        """It only waited for its turn: its start is still to come."""
        self._begun.pop(uid, None)

    def corrected(self, uid: str, what: str, *, urgent: bool) -> float:
        """Record a correction; seconds until the next one is allowed."""
        now, times = self._clock(), self._corrections.setdefault(uid, {})
        recent = [at for at in times.get(what, ()) if now - at < CONTEST_SECONDS]
        times[what] = [*recent, now][-CONTEST_REMEMBERED:]
        return self.pause(uid, what, urgent=urgent)

    def pause(self, uid: str, what: str, *, urgent: bool) -> float:
        """Seconds until this may be corrected again: exponential back-off."""
        now = self._clock()
        recent = [at for at in self._corrections.get(uid, {}).get(what, ()) if now - at < CONTEST_SECONDS]
        if len(recent) < CONTEST_FROM:
            return 0.0
        longest = CONTEST_LONGEST_URGENT if urgent else CONTEST_LONGEST
        return max(0.0, min(longest, 2.0 ** (len(recent) - CONTEST_FROM + 1)) - (now - recent[-1]))

    def backoff(self, uid: str) -> float:
        """Seconds before a tenant with contested drift is reconciled again; short, for something else may have changed."""
        pauses = (self.pause(uid, what, urgent=True) for what in self._corrections.get(uid, {}))
        return max(pauses, default=0.0)

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
        """Drift is suspected: the next pass checks what this step makes, or everything, and reports what it corrected."""
        self.forget(uid, step)
        self._suspects.add(uid)

    def take_suspicion(self, uid: str) -> bool:
        """Whether the tenant was suspect; once."""
        known = uid in self._suspects
        self._suspects.discard(uid)
        return known

    def drop(self, uid: str) -> None:
        """The tenant is deleted."""
        self._begun.pop(uid, None)
        self._corrections.pop(uid, None)
        self._told.pop(uid, None)
        self._expected.pop(uid, None)
        self._known.pop(uid, None)
        self._forgotten.pop(uid, None)
        self._suspects.discard(uid)
