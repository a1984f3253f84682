"""Writes a Tenant's status: once a pass, and only when it differs; an event when the summary condition changes.

Of a spare only faults are worth an event.
"""

from vivero_core.backends.kube.resources import TENANT
from vivero_core.model.constants import Reason
from vivero_core.model.tenant import Tenant, TenantStatus

from vivero_operator.manifests.event import EventType, ObjectEvent, Subject
from vivero_operator.policies import verdict
from vivero_operator.reconcile.run import Services
from vivero_operator.reconcile.writing import patch_of, remember


async def write(services: Services, tenant: Tenant, status: TenantStatus, told: Reason | None = None) -> Tenant:
    """The Tenant with its new status, which the mirror knows at once: the watch's echo comes later.

    `told`: the reason of the move that the pass made, if it made one.
    """
    patch = patch_of(tenant.status, status, tenant.unread_status)
    if not patch:
        return tenant
    body = await services.kube.patch_status(TENANT, tenant.name, patch, uid=tenant.metadata.uid)
    updated = remember(Tenant, body, services.cluster.tenants) or tenant.model_copy(update={"status": status})
    change = verdict.transition(tenant.status.conditions, status.conditions, told)
    if change is not None and (change[0] or not updated.is_spare):
        fault, reason, message = change
        subject = Subject.of("Tenant", updated.metadata)
        kind: EventType = "Warning" if fault else "Normal"
        await services.recorder.record(ObjectEvent(subject, kind, reason, message, "Reconcile"))
    return updated
