"""What a workspace as of a second may show, and where. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from vivero_core.model import naming
from vivero_core.model.tenant import Tenant
from vivero_core.model.tenant_restore import TenantRestore


def obstacle(tenant: Tenant) -> str | None:
    """Why nobody may look at this tenant's past, as a sentence."""
    if tenant.metadata.deletion_timestamp is not None:
        return f"Tenant {tenant.name} is being deleted: bring it back first (docs/runbooks/undelete.md)"
    if tenant.is_spare:
        return f"Tenant {tenant.name} is a spare, which nobody has used"
    if tenant.spec.suspended is not None:
        return (
            f"Tenant {tenant.name} is suspended, so that nobody can log in: resume it, or bring it back as a new tenant"
        )
    return None


def host_problem(host: str, base_domain: str, tenants: Iterable[Tenant], others: Iterable[TenantRestore]) -> str | None:
    """Why it cannot answer there, as a sentence. The platform has a certificate for names directly below its domain alone."""
    label, _, domain = host.partition(".")
    if domain != base_domain:
        return f"target.asOf.host has to be a name directly below {base_domain}"
    if label in naming.RESERVED_SLUGS:
        return f"target.asOf.host {host} is reserved for the platform"
    holder = next((one.name for one in tenants if one.spec.slug == label or host in one.spec.hosts), None)
    if holder is not None:
        return f"target.asOf.host {host} belongs to Tenant {holder}"
    named = (
        one.name for one in others if one.is_beside and one.spec.target.as_of and one.spec.target.as_of.host == host
    )
    shown = next(named, None)
    return f"target.asOf.host {host} is in use by TenantRestore {shown}" if shown is not None else None


def is_up(live: Mapping[str, Any]) -> bool:
    """Whether a pod of the Deployment as it is now is ready, and none of how it was before."""
    status, wanted = live.get("status", {}), live["metadata"].get("generation", 0)
    counts = status.get("updatedReplicas"), status.get("readyReplicas")
    return status.get("observedGeneration", 0) >= wanted and counts == (1, 1)


def deployment_problem(live: Mapping[str, Any]) -> str | None:
    """Why no pod of it becomes ready, once that took too long."""
    conditions = live.get("status", {}).get("conditions", ())
    late = next((one for one in conditions if one.get("reason") == "ProgressDeadlineExceeded"), None)
    if late is None:
        return None
    refused = next((one for one in conditions if one["type"] == "ReplicaFailure" and one["status"] == "True"), late)
    return f"the pod of the workspace does not become ready: {refused.get('message', '')}"
