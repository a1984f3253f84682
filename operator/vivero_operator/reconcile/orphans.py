"""Sweeps all four backends for orphans, resources of tenants without a Tenant; reports them, and deletes them on request.

Someone who removes a finalizer, or restores an old cluster, leaves schema,
bucket, cache user, namespace and keys behind. They may be all that is left of
a customer's data: they are reported, and deleted only when spec.removeOrphans
lists them. Only their routes are deleted at once: another Tenant may have the host.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from vivero_core.backends.kube.errors import KubeForbiddenError, KubeNotFoundError
from vivero_core.backends.kube.resources import NAMESPACE, TENANT
from vivero_core.backends.survey import Inventory
from vivero_core.errors import BackendError
from vivero_core.model import naming
from vivero_core.model.constants import LABEL_TENANT
from vivero_core.model.database_server import DatabaseServer
from vivero_core.model.tenant_restore import TenantRestore

from vivero_operator import metrics
from vivero_operator.policies import orphans as policy
from vivero_operator.policies.orphans import Found, Known
from vivero_operator.reconcile import abandoned, erasures, remains, routes
from vivero_operator.reconcile.context import Orphan
from vivero_operator.reconcile.controller import Result
from vivero_operator.reconcile.kind import Reconciler
from vivero_operator.reconcile.run import Services

logger = logging.getLogger(__name__)

EVERY_SECONDS: Final = 3600.0
CONFIRM_SECONDS: Final = 5.0
"""Between the two scans that have to agree."""
RETRY_SECONDS: Final = 60.0
"""When a system did not respond."""
_KEYS, _BUCKETS, _CACHE = "keys", "bucket", "cache user"


@dataclass(frozen=True)
class _Look:
    """One scan of all systems."""

    found: list[Found]
    known: Known
    names: Mapping[str, tuple[str | None, str | None]]
    """Id -> name and server that a record remembers."""
    whole: bool
    """Whether all answered."""


class Sweep:
    """Runs at the start, every hour, and on request."""

    def __init__(self, services: Services, reported: Callable[[], None]) -> None:
        """`reported` is called when `services.orphans` holds what was found."""
        self._services = services
        self._reported = reported
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Request a sweep: an orphan was found between two sweeps."""
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
        first = await self._look()
        if first.found:
            await asyncio.sleep(CONFIRM_SECONDS)
        second = await self._look()
        whole = first.whole and second.whole
        self._report(policy.lasting(first.found, second.found), second, whole=whole)
        return whole

    async def _look(self) -> _Look:
        servers = list(self._services.cluster.servers)
        databases = {one.name: await self._ask(f"mariadb/{one.name}", partial(self._database, one)) for one in servers}
        elsewhere = {
            _BUCKETS: await self._ask("s3", self._buckets),
            _CACHE: await self._ask("valkey", self._cache_users),
            remains.THE_NAMESPACE: await self._ask("kubernetes", self._namespaces),
        }
        records = await self._services.escrow.all()
        await erasures.schedule_again(self._services, records)
        await abandoned.erase(self._services, records)
        await erasures.recall(self._services)
        # Last: a Tenant that was made since is among them.
        placed = {one.id: one.status.database_server for one in self._services.cluster.tenants}
        # What was erased and is there again, out of a backup of the cluster, is nobody's.
        retained: dict[str, str | None] = {
            one.id: one.database_server for one in records if one.retained and one.id not in self._services.erased
        }
        # A bucket and a cache user are a workspace's as of a second.
        restores = self._services.cluster.of(TenantRestore)
        retained |= {naming.tenant_id(one.metadata.uid): None for one in restores if one.is_beside}
        known = Known(placed, retained)
        found = policy.find(
            {name: held for name, held in databases.items() if held is not None},
            {
                **{name: held for name, held in elsewhere.items() if held is not None},
                _KEYS: {one.id: frozenset({_KEYS}) for one in records},
            },
            known,
        )
        names = {one.id: (one.tenant, one.database_server) for one in records}
        return _Look(found, known, names, whole=None not in (*databases.values(), *elsewhere.values()))

    async def _ask(self, system: str, look: Callable[[], Awaitable[Inventory]]) -> Inventory | None:
        """What the system holds of each tenant; None when it did not respond, or its response cannot be parsed."""
        try:
            return await look()
        except BackendError as error:
            logger.info("orphan sweep skipped a backend: %s", error, extra={"system": system})
        except Exception:
            # A bug, or an unexpected response, of one system: logged, counted, and the others are swept all the same.
            logger.exception("orphan sweep failed with an unexpected error", extra={"system": system})
            metrics.SURVEY_ERRORS.labels(system).inc()
        return None

    async def _database(self, server: DatabaseServer) -> Inventory:
        client = await self._services.backends.database(server)
        return await client.breaker.call(client.admin.inventory)

    async def _buckets(self) -> Inventory:
        client = await self._services.backends.storage()
        return await client.breaker.call(client.admin.inventory)

    async def _cache_users(self) -> Inventory:
        client = await self._services.backends.cache()
        return await client.breaker.call(client.admin.inventory)

    async def _namespaces(self) -> Inventory:
        listing = await self._services.kube.list_as(
            NAMESPACE, remains.tenant_of_namespace, label_selector=LABEL_TENANT, metadata_only=True
        )
        return {ident: frozenset({remains.THE_NAMESPACE}) for ident in listing.items if ident is not None}

    def _report(self, found: list[Found], look: _Look, *, whole: bool) -> None:
        orphans, servers = self._services.orphans, {one.name: one for one in self._services.cluster.servers}
        if not whole:
            found = policy.remembered((one.found for one in orphans.known.values()), found, look.known)
        # A program that has just started finds in the status since when they are known.
        shown = {entry.id: entry for server in servers.values() for entry in server.status.orphaned}
        known = {}
        for one in found:
            before = orphans.known.get(one.id) or shown.get(one.id)
            name, place = look.names.get(one.id, (before.tenant if before else None, None))
            since = before.since if before is not None else self._services.now()
            known[one.id] = Orphan(one, name, policy.shown_at(one, place, servers), since)
        orphans.known, orphans.swept, orphans.whole = known, True, whole
        self._reported()


class OrphanReconciler(Reconciler):
    """reconcile(id): deletes the routes of an orphan."""

    def __init__(self, services: Services, sweep: Callable[[], None]) -> None:
        self._services = services
        self._routes = routes.of(services.settings)
        self._sweep = sweep

    async def reconcile(self, ident: str) -> Result:
        if self._services.cluster.tenant_of(ident) is not None:
            return Result(gone=True)
        closed = await self._close(ident)
        if closed:
            logger.warning("deleted the routes of an orphan", extra={"id": ident, "routes": closed})
        if ident not in self._services.orphans.known and (closed or await self._has_namespace(ident)):
            self._sweep()
        return Result(gone=True)

    async def _has_namespace(self, ident: str) -> bool:
        live = await remains.namespace_of(self._services, ident)
        return live is not None and "deletionTimestamp" not in live["metadata"]

    async def _close(self, ident: str) -> list[str]:
        """Every route: the workspace's, the customer's own hosts', and the page of a suspended one. Those that were there."""
        places = self._routes.places(ident, self._services.settings.platform_namespace)
        return [name for name, namespace in sorted(places) if await self._remove(ident, name, namespace)]

    async def _remove(self, ident: str, name: str, namespace: str) -> bool:
        kube = self._services.kube
        try:
            live = await kube.get(self._routes.resource, name, namespace)
            if live["metadata"].get("labels", {}).get(LABEL_TENANT) != ident:
                return False
            await kube.delete(self._routes.resource, name, namespace, uid=live["metadata"]["uid"])
        except KubeNotFoundError:
            return False
        except KubeForbiddenError as error:
            logger.warning("deleting a route of an orphan failed: %s", error, extra={"id": ident})
            return False
        return True


async def refusal(services: Services, ident: str) -> str | None:
    """Why this id must not be destroyed, checked with the API server because a mirror may be stale. None: an orphan."""
    if ident not in services.orphans.known:
        return "the last orphan sweep did not find it"
    tenants = await services.kube.list_as(TENANT, remains.speaks_for)
    owner = next((name for name, spoken_for in tenants.items if spoken_for == ident), None)
    if owner is not None:
        return f"it belongs to Tenant {owner}"
    record = await services.escrow.find(ident)
    return "its data is retained for spec.adopt" if record is not None and record.retained else None
