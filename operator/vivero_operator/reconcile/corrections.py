"""Says what was put right, and that another controller or a script wants it otherwise when it happens again and again."""

from typing import Final

from vivero_core.model.constants import Reason

from vivero_operator.manifests.event import EventType, Happening, Subject
from vivero_operator.reconcile.memory import Memory
from vivero_operator.reconcile.run import Run

_ACTION: Final = "CorrectDrift"


async def announce(run: Run, memory: Memory, *, suspect: bool) -> None:
    """One event for all that a pass corrected. A pass without suspicion corrects what was changed unseen."""
    if not run.corrected or not (suspect or run.established):
        return
    what = sorted({one.what for one in run.corrected})
    severe = any(one.security for one in run.corrected)
    message = f"Drift corrected: {', '.join(what)}"
    await _say(run, "Warning" if severe else "Normal", Reason.DRIFT_CORRECTED, message)
    uid = run.tenant.metadata.uid
    pauses = {one.what: memory.corrected(uid, one.what, urgent=one.urgent) for one in set(run.corrected)}
    contested = sorted(one for one, pause in pauses.items() if pause > 0)
    if contested:
        message = (
            f"{', '.join(contested)}: changed again after each correction, so another controller or a script wants it"
            f" otherwise. Corrections wait for some {max(pauses.values()):.0f} s from now on"
        )
        await _say(run, "Warning", Reason.DRIFT_CONTESTED, message)


async def _say(run: Run, kind: EventType, reason: Reason, message: str) -> None:
    subject = Subject.of("Tenant", run.tenant.metadata)
    await run.services.recorder.record(Happening(subject, kind, reason, message, _ACTION))
