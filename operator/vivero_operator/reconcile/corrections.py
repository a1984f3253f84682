"""Events about corrected drift, and about a conflict with another controller or a script that changes it again."""

from collections.abc import Iterable
from typing import Final

from vivero_core.model.constants import Reason

from vivero_operator.manifests.event import EventType, ObjectEvent, Subject
from vivero_operator.reconcile.run import Corrected, Run
from vivero_operator.reconcile.state import ReconcileState

_ACTION: Final = "CorrectDrift"


async def announce(run: Run, state: ReconcileState, *, suspect: bool) -> None:
    """One event for all that a pass corrected. A pass without suspicion corrects what was changed unseen."""
    if not run.corrected or not (suspect or run.established):
        return
    severe = any(one.security for one in run.corrected)
    await _say(run, "Warning" if severe else "Normal", Reason.DRIFT_CORRECTED, _drift(run.corrected))
    uid = run.tenant.metadata.uid
    pauses = {one.what: state.corrected(uid, one.what, urgent=one.urgent) for one in set(run.corrected)}
    contested = sorted(one for one, pause in pauses.items() if pause > 0)
    if contested:
        message = (
            f"Drift recurs after each correction, probably because of another controller or a script:"
            f" {', '.join(contested)}. Corrections back off, the next one in about {max(pauses.values()):.0f} s"
        )
        await _say(run, "Warning", Reason.DRIFT_CONTESTED, message)


def _drift(corrected: Iterable[Corrected]) -> str:
    """What was changed or deleted and is restored, and what was added and is removed."""
    changed = sorted({one.what for one in corrected if not one.unmanaged})
    added = sorted({one.what for one in corrected if one.unmanaged})
    verb = "was" if len(changed) == 1 else "were"
    parts = [f"{', '.join(changed)} {verb} changed outside Vivero"] if changed else []
    parts += [f"removed {', '.join(added)}"] if added else []
    return f"Drift corrected: {'; '.join(parts)}"


async def _say(run: Run, kind: EventType, reason: Reason, message: str) -> None:
    subject = Subject.of("Tenant", run.tenant.metadata)
    await run.services.recorder.record(ObjectEvent(subject, kind, reason, message, _ACTION))
