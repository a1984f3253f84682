"""Writes what people read of our objects: a status, only when it differs, and events about Tenants.

A Tenant's status is written once a pass; an event tells when its summary condition changes, and what drift was
corrected. Of a spare only faults are worth an event. A status goes only onto the very object, and is known at once.
"""

from collections.abc import Iterable
from typing import Any, Final, TypeVar

from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import TENANT
from vivero_core.backends.kube.resources import Resource as Address
from vivero_core.model.base import Model, Resource
from vivero_core.model.constants import Reason
from vivero_core.model.reading import Unreadable, read
from vivero_core.model.tenant import Tenant, TenantStatus

from vivero_operator.manifests.event import EventType, ObjectEvent, Subject
from vivero_operator.policies import tenant_conditions
from vivero_operator.reconcile.mirror import Mirror
from vivero_operator.reconcile.run import Corrected, Run, Services
from vivero_operator.reconcile.state import ReconcileState

R = TypeVar("R", bound=Resource)


def patch_of(old: Model, new: Model, unread: tuple[str, ...] = ()) -> dict[str, Any]:
    """The merge patch from `old` to `new`; empty when they are the same. A list is replaced as a whole.

    `unread`: fields of the stored status that could not be read, to be taken away.
    """
    after = new.dump()
    gone = {key: None for key in unread if key not in after}
    return gone | _difference(old.dump(), after)


def _difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """A merge patch with nested differences: removed keys are explicit nulls."""
    patch: dict[str, Any] = {key: None for key in before if key not in after}
    for key, value in after.items():
        known = before.get(key)
        if known != value:
            patch[key] = _difference(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return patch


async def write_status(services: Services, address: Address, item: R, status: Model, mirror: Mirror[R]) -> bool:
    """Write the status if it differs; returns whether it was written. A deleted object is ignored."""
    old: Model = item.status  # type: ignore[attr-defined]  # every kind of ours has one
    patch = patch_of(old, status, item.unread_status)
    if not patch:
        return False
    try:
        body = await services.kube.patch_status(address, item.name, patch, uid=item.metadata.uid)
    except KubeNotFoundError:
        return False
    remember(type(item), body, mirror)
    return True


def remember(model: type[R], body: dict[str, Any], mirror: Mirror[R]) -> R | None:
    """The API server's answer to a write of ours; None when it cannot be parsed, which its event reports."""
    found = read(model, body)
    if isinstance(found, Unreadable):
        return None
    mirror.put(found)
    return found


async def write_tenant(services: Services, tenant: Tenant, status: TenantStatus, told: Reason | None = None) -> Tenant:
    """Write the Tenant's status and update the mirror at once, before the watch event arrives; returns the Tenant.

    `told`: the reason of the move that the pass made, if it made one.
    """
    patch = patch_of(tenant.status, status, tenant.unread_status)
    if not patch:
        return tenant
    body = await services.kube.patch_status(TENANT, tenant.name, patch, uid=tenant.metadata.uid)
    updated = remember(Tenant, body, services.cluster.tenants) or tenant.model_copy(update={"status": status})
    change = tenant_conditions.transition(tenant.status.conditions, status.conditions, told)
    if change is not None and (change[0] or not updated.is_spare):
        fault, reason, message = change
        subject = Subject.of("Tenant", updated.metadata)
        kind: EventType = "Warning" if fault else "Normal"
        await services.recorder.record(ObjectEvent(subject, kind, reason, message, "Reconcile"))
    return updated


_ACTION: Final = "CorrectDrift"


async def announce_corrections(run: Run, state: ReconcileState, *, suspect: bool) -> None:
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
