"""Writing a Tenant's status: once a pass, and only when it says something new; events when Ready changes its mind.

Of a spare only faults are worth an event.
"""

import logging
from typing import Any, Literal

from vivero_core.backends.kube.resources import TENANT
from vivero_core.errors import BackendError
from vivero_core.model.tenant import Tenant, TenantStatus

from vivero_operator.manifests import event
from vivero_operator.policies import verdict
from vivero_operator.reconcile.run import Services

logger = logging.getLogger(__name__)


def patch_of(old: TenantStatus, new: TenantStatus) -> dict[str, Any]:
    """The merge patch from `old` to `new`; empty when they are the same. A list is replaced as a whole."""
    before, after = old.dump(), new.dump()
    gone: dict[str, Any] = {key: None for key in before if key not in after}
    return gone | {key: value for key, value in after.items() if before.get(key) != value}


async def write(services: Services, tenant: Tenant, status: TenantStatus) -> Tenant:
    """The Tenant with its new status, which the mirror knows at once: the watch's echo comes later."""
    patch = patch_of(tenant.status, status)
    if not patch:
        return tenant
    body = await services.kube.patch_status(TENANT, tenant.name, patch, uid=tenant.metadata.uid)
    updated = Tenant.parse(body)
    services.cluster.tenants.put(updated)
    change = verdict.transition(tenant.status.conditions, status.conditions)
    if change is not None and (change[0] or not updated.is_spare):
        fault, reason, message = change
        await announce(services, updated, "Warning" if fault else "Normal", reason, message)
    return updated


async def announce(
    services: Services, tenant: Tenant, kind: Literal["Normal", "Warning"], reason: str, message: str
) -> None:
    """Post an event; one that cannot be posted is logged and does not hold up the tenant."""
    logger.info("%s", message, extra={"reason": reason, "tenant": tenant.name, "id": tenant.id})
    try:
        await services.kube.create(event.build(tenant, kind, reason, message, services.now()))
    except BackendError as error:
        logger.warning("event not posted: %s", error, extra={"tenant": tenant.name})
