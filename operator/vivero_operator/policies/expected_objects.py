"""Names of the objects that a settled tenant must have, and which others in its namespace are unmanaged. Pure.

Missing objects are detected by name, because a count may be right by chance.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from vivero_core.model.tenant import Tenant

from vivero_operator.escrow import record
from vivero_operator.instance import APP
from vivero_operator.manifests import copies, ingress, namespace, secrets
from vivero_operator.policies import life

_ONLY_IN_SERVICE: Final = frozenset({"Service", "Ingress", "HTTPRoute", "ResourceQuota"})
"""Kinds that a suspended tenant need not have."""
RECORD: Final = "record"
"""The escrow record of a tenant's keys: also a Secret, but in the platform's namespace."""


def expected(tenant: Tenant, kind: str) -> frozenset[str]:
    """Names of the tenant's objects of this kind."""
    if tenant.spec.suspended is not None and kind in _ONLY_IN_SERVICE:
        return frozenset()
    match kind:
        case "Namespace":
            found = {f"tenant-{tenant.id}"}
        case "Secret":
            found = {*secrets.NAMES, *_certificates(tenant)}
        case "ConfigMap":
            found = {copies.PLATFORM}
        case "RoleBinding":
            found = {namespace.RIGHTS}
        case "Ingress":
            found = _routes(tenant)
        case "HTTPRoute":
            found = _routes(tenant) & {APP}
        case "record":
            found = {record.name(tenant.id)}
        case _:
            found = {APP}
    return frozenset(found)


def _certificates(tenant: Tenant) -> set[str]:
    """Copies of certificates for served hosts; they stay while the tenant is suspended, but are not created then."""
    named = {one.host for one in tenant.spec.host_certificates}
    served = {one.host for one in tenant.status.hosts if one.ready} if tenant.spec.suspended is None else set()
    return {copies.certificate_name(host) for host in named & served}


def _routes(tenant: Tenant) -> set[str]:
    if tenant.is_spare:
        return set()
    return {APP, ingress.HOSTS} if any(one.ready for one in tenant.status.hosts) else {APP}


def incomplete(tenants: Iterable[Tenant], kind: str, found: Mapping[str, Collection[str]]) -> Iterator[str]:
    """Ids of tenants that lack objects although settled according to their status; `found`: names of objects by id."""
    for tenant in tenants:
        if life.settled(tenant) and not expected(tenant, kind) <= set(found.get(tenant.id, ())):
            yield tenant.id


_OURS: Final = {"NetworkPolicy": frozenset({APP}), "RoleBinding": frozenset({namespace.RIGHTS})}


def is_unmanaged(live: dict[str, Any]) -> bool:
    """Whether Vivero did not create `live`, an object in a tenant's namespace of a kind whose effects add up."""
    return live["metadata"]["name"] not in _OURS[live["kind"]] and not _is_from_distribution(live)


def _is_from_distribution(live: dict[str, Any]) -> bool:
    """RoleBindings for the namespace's own accounts, as OpenShift creates in every namespace (system:image-pullers).

    A tenant's pods have no token, so these grant nothing, and their controller would recreate them.
    """
    meta, subjects = live["metadata"], live.get("subjects") or ()
    own = f"system:serviceaccounts:{meta['namespace']}"
    inside = all(
        one.get("name") == own if one.get("kind") == "Group" else one.get("namespace") == meta["namespace"]
        for one in subjects
    )
    return live["kind"] == "RoleBinding" and meta["name"].startswith("system:") and inside
