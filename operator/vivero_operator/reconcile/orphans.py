"""Looks for what is left of tenants that no Tenant speaks for, on all four systems; reports it, and removes it on order.

Somebody who takes a finalizer away, or restores an old cluster, leaves schema,
bucket, cache user, namespace and keys behind. They may be all that is left of
a customer's data: they are named, and never removed without an order. Only
their address is closed at once, for it belongs to whoever lives.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from vivero_core.backends.kube.errors import KubeForbiddenError, KubeNotFoundError
from vivero_core.backends.kube.resources import INGRESS, NAMESPACE, TENANT
from vivero_core.errors import BackendError
from vivero_core.model import naming
from vivero_core.model.constants import LABEL_TENANT
from vivero_core.model.reading import Unreadable, read, salvaged
from vivero_core.model.tenant import Tenant

from vivero_operator import metrics
from vivero_operator.instance import APP
from vivero_operator.manifests import ingress
from vivero_operator.policies import orphans as policy
from vivero_operator.policies.orphans import Found, Known
from vivero_operator.reconcile.orphan_list import Orphan
from vivero_operator.reconcile.result import Result
from vivero_operator.reconcile.run import Services
from vivero_operator.reconcile.steps import cache, database, storage

logger = logging.getLogger(__name__)

EVERY_SECONDS: Final = 3600.0
CONFIRM_SECONDS: Final = 5.0
"""Between the two looks that have to agree."""
RETRY_SECONDS: Final = 60.0
"""When a system gave no answer."""
_NAMESPACE, _KEYS, _BUCKETS, _CACHE = "namespace", "keys", "bucket", "cache user"


class Sweep:
    """Runs at the start and every hour, and when somebody asks."""

    def __init__(self, services: Services, reported: Callable[[], None], close: Callable[[str], None]) -> None:
        """`close` is called with the id of each orphan: its address may be open since no operator ran."""
        self._services = services
        self._reported = reported
        self._close = close
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Look soon: something was found out of its hour."""
        self._asked.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            pause = EVERY_SECONDS if await self._sweep() else RETRY_SECONDS
            try:
                await asyncio.wait_for(self._asked.wait(), pause)
            except TimeoutError:
                continue
            finally:
                self._asked.clear()

    async def _sweep(self) -> bool:
        """Whether every system answered; what the others hold is reported all the same."""
        first, _, _ = await self._look()
        if first:
            await asyncio.sleep(CONFIRM_SECONDS)
        second, names, whole = await self._look()
        self._report(policy.lasting(first, second), names, whole=whole)
        return whole

    async def _look(self) -> tuple[list[Found], Mapping[str, tuple[str | None, str | None]], bool]:
        """(what is left, id -> name and server that something remembers, whether all answered)."""
        databases, failed = await self._databases()
        elsewhere: dict[str, Mapping[str, frozenset[str]]] = {}
        for name, look in ((_BUCKETS, self._buckets), (_CACHE, self._cache_users), (_NAMESPACE, self._namespaces)):
            try:
                elsewhere[name] = await look()
            except BackendError as error:
                logger.info("not swept: %s", error, extra={"system": name})
                failed = True
        records = await self._services.vault.all()
        elsewhere[_KEYS] = {one.id: frozenset({_KEYS}) for one in records}
        # Last: a Tenant that was made since is among them.
        placed = {one.id: one.status.database_server for one in self._services.cluster.tenants}
        retained = {one.id: one.database_server for one in records if one.retained}
        names = {one.id: (one.tenant, one.database_server) for one in records}
        return policy.find(databases, elsewhere, Known(placed, retained)), names, not failed

    async def _databases(self) -> tuple[dict[str, Mapping[str, frozenset[str]]], bool]:
        found: dict[str, Mapping[str, frozenset[str]]] = {}
        failed = False
        for server in self._services.cluster.servers:
            try:
                link = await self._services.backends.database(server)
                found[server.name] = await link.lane.call(link.admin.inventory)
            except BackendError as error:
                logger.info("not swept: %s", error, extra={"system": f"mariadb-{server.name}"})
                failed = True
        return found, failed

    async def _buckets(self) -> Mapping[str, frozenset[str]]:
        link = await self._services.backends.storage()
        return await link.lane.call(link.admin.inventory)

    async def _cache_users(self) -> Mapping[str, frozenset[str]]:
        link = await self._services.backends.cache()
        return await link.lane.call(link.admin.inventory)

    async def _namespaces(self) -> Mapping[str, frozenset[str]]:
        listing = await self._services.kube.list_as(
            NAMESPACE,
            lambda item: item["metadata"].get("labels", {}).get(LABEL_TENANT, ""),
            label_selector=LABEL_TENANT,
            metadata_only=True,
        )
        return {ident: frozenset({_NAMESPACE}) for ident in listing.items if naming.is_tenant_id(ident)}

    def _report(self, found: list[Found], names: Mapping[str, tuple[str | None, str | None]], *, whole: bool) -> None:
        orphans, servers = self._services.orphans, {one.name for one in self._services.cluster.servers}
        known = {}
        for one in found:
            name, server = names.get(one.id, (None, None))
            before = orphans.known.get(one.id)
            since = before.since if before is not None else self._services.now()
            known[one.id] = Orphan(one, name, policy.shown_at(one, server, servers), since)
        # What a system that gave no answer holds is still there.
        orphans.known = known if whole else {**orphans.known, **known}
        orphans.swept = True
        for server in servers:
            metrics.ORPHANS.labels(server).set(len(orphans.of(server)))
        for ident in known:
            self._close(ident)
        self._reported()


class OrphanReconciler:
    """reconcile(id): what is left of a tenant whose Tenant is gone keeps no address."""

    def __init__(self, services: Services, sweep: Callable[[], None]) -> None:
        self._services = services
        self._sweep = sweep

    async def reconcile(self, ident: str) -> Result:
        if self._services.cluster.tenant_of(ident) is not None:
            return Result(gone=True)
        closed = await self._close(ident)
        if closed:
            logger.warning("address without a Tenant closed", extra={"id": ident, "routes": closed})
        if ident not in self._services.orphans.known and (closed or await self._has_namespace(ident)):
            self._sweep()
        return Result(gone=True)

    async def _has_namespace(self, ident: str) -> bool:
        try:
            live = await self._services.kube.get(NAMESPACE, naming.namespace_name(ident))
        except KubeNotFoundError:
            return False
        return "deletionTimestamp" not in live["metadata"]

    async def _close(self, ident: str) -> list[str]:
        """Every route: the workspace's, the customer's own hosts', and the page of a suspended one. Those that were there."""
        inside, platform = naming.namespace_name(ident), self._services.settings.platform_namespace
        routes = ((APP, inside), (ingress.HOSTS, inside), (ingress.suspended_name(ident), platform))
        return [name for name, namespace in routes if await self._remove(ident, name, namespace)]

    async def _remove(self, ident: str, name: str, namespace: str) -> bool:
        kube = self._services.kube
        try:
            live = await kube.get(INGRESS, name, namespace)
            await kube.delete(INGRESS, name, namespace, uid=live["metadata"]["uid"])
        except KubeNotFoundError:
            return False
        except KubeForbiddenError as error:
            logger.warning("address of an orphan is not closed: %s", error, extra={"id": ident})
            return False
        return True


async def refusal(services: Services, ident: str) -> str | None:
    """Why this id must not be destroyed; asked at the API server, for a mirror may be late. None: it is an orphan."""
    if ident not in services.orphans.known:
        return "the last sweep found nothing of it without a Tenant"
    tenants = await services.kube.list_as(TENANT, _speaks_for)
    owner = next((name for name, spoken_for in tenants.items if spoken_for == ident), None)
    if owner is not None:
        return f"it belongs to Tenant {owner}"
    record = await services.vault.find(ident)
    return "its data is retained for spec.adopt" if record is not None and record.retained else None


def _speaks_for(body: dict[str, Any]) -> tuple[str, str]:
    """(name of the Tenant, id), of one that this program cannot read as well."""
    found = read(Tenant, body)
    tenant = salvaged(found) if isinstance(found, Unreadable) else found
    return tenant.name, tenant.id


async def remove(services: Services, ident: str) -> list[str]:
    """Destroy all that is left of an orphan; what could not be removed yet, in words. Safe to repeat."""
    left = []
    for server in services.cluster.servers:
        link = await services.backends.database(server)
        await link.lane.long(database.drop, link.admin, ident, data=True)
    store = await services.backends.storage()
    await store.lane.long(storage.drop, store.admin, naming.bucket_name(ident), data=True)
    caches = await services.backends.cache()
    await caches.lane.long(cache.drop, caches.admin, naming.cache_user(ident))
    try:
        live = await services.kube.get(NAMESPACE, naming.namespace_name(ident))
        if "deletionTimestamp" not in live["metadata"]:
            await services.kube.delete(NAMESPACE, naming.namespace_name(ident), uid=live["metadata"]["uid"])
        left.append(_NAMESPACE)
    except KubeNotFoundError:
        await services.vault.erase(ident)
    return left
