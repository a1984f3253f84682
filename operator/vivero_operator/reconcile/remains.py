"""What is left of a tenant whose Tenant is gone: whose it is, and its removal from all four backends."""

from typing import Any, Final

from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import NAMESPACE
from vivero_core.model import naming
from vivero_core.model.constants import LABEL_TENANT
from vivero_core.model.reading import Unreadable, read, salvaged
from vivero_core.model.tenant import Tenant

from vivero_operator.policies import allocation
from vivero_operator.reconcile.run import Services
from vivero_operator.reconcile.steps import backends

THE_NAMESPACE: Final = "namespace"
"""In the list of what is left."""


def tenant_of_namespace(body: dict[str, Any]) -> str | None:
    """Of a namespace that we made: its name and its label agree. `tenant-production` may be anything."""
    ident = naming.tenant_in_namespace(body["metadata"]["name"])
    return ident if body["metadata"].get("labels", {}).get(LABEL_TENANT) == ident else None


async def namespace_of(services: Services, ident: str) -> dict[str, Any] | None:
    """The namespace that we made for this tenant, if there is one."""
    try:
        live = await services.kube.get(NAMESPACE, naming.namespace_name(ident))
    except KubeNotFoundError:
        return None
    return live if tenant_of_namespace(live) is not None else None


def speaks_for(body: dict[str, Any]) -> tuple[str, str]:
    """(name of the Tenant, id), of one that this program cannot read as well."""
    found = read(Tenant, body)
    tenant = salvaged(found) if isinstance(found, Unreadable) else found
    return tenant.name, tenant.id


async def remove(services: Services, ident: str) -> list[str]:
    """Destroy all that is left of an orphan; what could not be removed yet, in words. Safe to repeat."""
    for server in services.cluster.servers:
        if allocation.never_answered(server):
            continue
        client = await services.backends.database(server)
        await client.breaker.long(backends.drop_database, client.admin, ident, data=True)
    store = await services.backends.storage()
    await store.breaker.long(backends.drop_storage, store.admin, naming.bucket_name(ident), data=True)
    caches = await services.backends.cache()
    await caches.breaker.long(backends.drop_cache, caches.admin, naming.cache_user(ident))
    live = await namespace_of(services, ident)
    if live is None:
        await services.escrow.erase(ident)
        return []
    if "deletionTimestamp" not in live["metadata"]:
        await services.kube.delete(NAMESPACE, live["metadata"]["name"], uid=live["metadata"]["uid"])
    return [THE_NAMESPACE]
