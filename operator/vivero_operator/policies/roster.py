"""Names of the objects that a settled tenant has, and which others in its namespace are unmanaged. Pure.

Missing ones are found by name, for a count may be right by chance.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from vivero_core.model.tenant import Tenant

from vivero_operator.escrow import record
from vivero_operator.instance import APP
from vivero_operator.manifests import copies, ingress, namespace, secrets
from vivero_operator.policies import life

_OF_SERVICE: Final = frozenset({"Service", "Ingress", "ResourceQuota"})
"""Kinds that a tenant need not have while it is suspended."""
RECORD: Final = "record"
"""Of a tenant's keys: a Secret too, but in the platform's namespace."""


def expected(tenant: Tenant, kind: str) -> frozenset[str]:
    """Of the objects of this kind."""
    if tenant.spec.suspended is not None and kind in _OF_SERVICE:
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
        case "record":
            found = {record.name(tenant.id)}
        case _:
            found = {APP}
    return frozenset(found)


def _certificates(tenant: Tenant) -> set[str]:
    """Copies for the hosts that are served, which are kept while it is suspended, but not made then."""
    named = {one.host for one in tenant.spec.host_certificates}
    served = {one.host for one in tenant.status.hosts if one.ready} if tenant.spec.suspended is None else set()
    return {copies.certificate_name(host) for host in named & served}


def _routes(tenant: Tenant) -> set[str]:
    if tenant.is_spare:
        return set()
    return {APP, ingress.HOSTS} if any(one.ready for one in tenant.status.hosts) else {APP}


def incomplete(tenants: Iterable[Tenant], kind: str, found: Mapping[str, Collection[str]]) -> Iterator[str]:
    """Ids of the tenants that are well, as their status says, yet lack objects; `found`: names of objects by id."""
    for tenant in tenants:
        if life.settled(tenant) and not expected(tenant, kind) <= set(found.get(tenant.id, ())):
            yield tenant.id


_OURS: Final = {"NetworkPolicy": frozenset({APP}), "RoleBinding": frozenset({namespace.RIGHTS})}


def is_unmanaged(live: dict[str, Any]) -> bool:
    """`live`: an object of a kind whose objects add up, in a tenant's namespace."""
    return live["metadata"]["name"] not in _OURS[live["kind"]] and not _is_of_the_distribution(live)


def _is_of_the_distribution(live: dict[str, Any]) -> bool:
    """Rights of the namespace's own accounts alone, such as OpenShift puts into every namespace (system:image-pullers).

    A tenant's pods have no token, so they open nothing, and their controller would put them back.
    """
    meta, subjects = live["metadata"], live.get("subjects") or ()
    own = f"system:serviceaccounts:{meta['namespace']}"
    inside = all(
        one.get("name") == own if one.get("kind") == "Group" else one.get("namespace") == meta["namespace"]
        for one in subjects
    )
    return live["kind"] == "RoleBinding" and meta["name"].startswith("system:") and inside
