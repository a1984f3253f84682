"""A restore in place, once its data was loaded and compared: the workspace is closed, the tables are switched, it is opened.

The phase is in the TenantRestore's condition and status (ADR 0043): while its reason is Switching the tenant's Deployment
wants no pod (steps/workload.py), and with `switchedAt` it wants them again. So what stops halfway, or is deleted, leaves
an open workspace.
"""

import hmac
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Final

from vivero_core.backends.credentials import Credentials
from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import DEPLOYMENT, POD
from vivero_core.backends.mariadb.replacement import SETTLED, Replacement
from vivero_core.model import conditions as cond
from vivero_core.model import naming
from vivero_core.model.base import Metadata
from vivero_core.model.constants import LABEL_TENANT, ConditionType, Reason
from vivero_core.model.tenant import Tenant
from vivero_core.model.tenant_backup import TenantBackup
from vivero_core.model.tenant_restore import TenantRestore

from vivero_operator.instance import APP
from vivero_operator.operations.errors import RefusedError
from vivero_operator.operations.orders import Login, Target
from vivero_operator.reconcile.context import HandlerContext
from vivero_operator.reconcile.controller import Key
from vivero_operator.reconcile.kind import drop, take
from vivero_operator.reconcile.operation import Access, ObstacleError, has_ended, is_under_way
from vivero_operator.reconcile.queue import Rank
from vivero_operator.reconcile.run import Services

CONNECTIONS: Final = 5
"""While the data is loaded."""


def observe(context: HandlerContext, item: TenantRestore) -> None:
    """The tenant's pods come and go with it, or it needs room beside them."""
    take(context, item)
    _wake(context, item)


def forget(context: HandlerContext, metadata: Metadata) -> None:
    item = context.cluster.of(TenantRestore).get(metadata.name)
    drop(context, TenantRestore, metadata)
    if item is not None:
        _wake(context, item)


def _wake(context: HandlerContext, item: TenantRestore) -> None:
    if item.spec.target.in_place or item.spec.target.as_of is not None:
        context.queue.add(Key("Tenant", item.spec.tenant), Rank.AWAITED)


def restoring(services: Services, tenant: str) -> TenantRestore | None:
    """The restore in place of this tenant that is under way."""
    found = services.cluster.of(TenantRestore)
    return next(
        (one for one in found if one.spec.tenant == tenant and one.spec.target.in_place and is_under_way(one)), None
    )


def loading_beside(services: Services, tenant: str) -> TenantRestore | None:
    """The restore that fills a schema beside this tenant's live one: a backup's dump would not hold it, and the log does."""
    found = (one for one in services.cluster.of(TenantRestore) if one.spec.tenant == tenant and is_under_way(one))
    return restoring(services, tenant) or next((one for one in found if one.spec.target.as_of is not None), None)


async def discard(services: Services, access: Access) -> None:
    """Remove what was loaded beside a tenant's live data."""
    client = await services.backends.database(access.server)
    await client.breaker.long(client.admin.discard_replacement, naming.database_name(access.ident), _owner(access))


def _owner(access: Access) -> Credentials:
    return Credentials(access.login.user, access.login.password)


class InPlace:
    """What is done for one restore in place, before its Job and after it."""

    def __init__(self, services: Services, item: TenantRestore) -> None:
        self._services = services
        self._item = item

    def require_turn(self, begun: Collection[str]) -> None:
        """Raises ObstacleError while another operation needs the schemas as they are.

        `begun`: names of restores in place whose Job may be there in a moment.
        """
        cluster = self._services.cluster
        for restore in cluster.of(TenantRestore):
            if self._is_beside(restore) and (is_under_way(restore) or restore.name in begun):
                raise ObstacleError(Reason.WAITING_FOR_TURN, f"Waiting for TenantRestore {restore.name}")
        for backup in cluster.of(TenantBackup):
            if backup.spec.tenant == self._item.spec.tenant and is_under_way(backup):
                raise ObstacleError(Reason.WAITING_FOR_TURN, f"Waiting for TenantBackup {backup.name}")

    def _is_beside(self, other: TenantRestore) -> bool:
        """Whether it is another one in place for the same tenant, and has not switched yet."""
        if other.metadata.uid == self._item.metadata.uid or other.spec.tenant != self._item.spec.tenant:
            return False
        over = has_ended(other.status) or other.status.switched_at is not None
        return bool(other.spec.target.in_place) and not over

    async def begin(self, old: Access) -> Target:
        """Make the schema that is filled, and who may fill it."""
        ident, at = old.ident, old.server.spec
        database, loader = naming.database_name(ident), naming.loading_user(ident)
        # The same for every attempt, for its Secret may be there already; nobody else can know it.
        about = f"restore {self._item.metadata.uid}".encode()
        password = hmac.new(old.keys.database_password.encode(), about, "sha256").hexdigest()
        client = await self._services.backends.database(old.server)
        user = Credentials(loader, password)
        await client.breaker.long(client.admin.begin_replacement, database, _owner(old), user, CONNECTIONS)
        audit = naming.audit_database_name(ident)
        return Target(
            schemas={database: naming.next_database_name(ident)},
            audit=audit,
            database=Login(at.host, at.port, loader, password),
            storage=old.bucket(self._services.settings),
            file_key=old.keys.file_key,
            left_out=(audit,),
        )

    async def finish(self, tenant: Tenant, access: Access) -> None:
        """Close, switch, open; each call does the next part.

        Raises:
            ObstacleError: it is not done yet.
            RefusedError: the live data stays as it is.
        """
        if self._item.status.switched_at is not None:
            self._require_serving(tenant)
        elif self._item.is_switching:
            await self._require_closed(tenant)
            second = await self._switch(tenant, access)
            message = f"Data switched, waiting for Tenant {tenant.name}"
            raise ObstacleError(Reason.STARTING, message, switched_at=datetime.fromtimestamp(second, UTC))
        else:
            client = await self._services.backends.database(access.server)
            problem = await client.breaker.long(client.admin.prepare_replacement, naming.database_name(tenant.id))
            if problem is not None:
                raise RefusedError(problem)
            raise ObstacleError(Reason.SWITCHING, f"Compared; closing the workspace of Tenant {tenant.name}")

    async def _require_closed(self, tenant: Tenant) -> None:
        """Nobody writes, and nobody reads the cache: what is switched then is whole, and what is read later is new."""
        namespace = naming.namespace_name(tenant.id)
        try:
            deployment = await self._services.kube.get(DEPLOYMENT, APP, namespace)
        except KubeNotFoundError:
            deployment = {}
        pods = await self._services.kube.list(POD, namespace, label_selector=f"{LABEL_TENANT}={tenant.id}")
        if deployment.get("spec", {}).get("replicas") or deployment.get("status", {}).get("replicas") or pods.items:
            raise ObstacleError(Reason.SWITCHING, f"Waiting for the pods of Tenant {tenant.name} to end")

    async def _switch(self, tenant: Tenant, access: Access) -> int:
        """The second to go back to for what was there before."""
        meta, database = self._item.metadata, naming.database_name(tenant.id)
        source = self._item.spec.backup or f"{self._item.spec.time:%Y-%m-%dT%H:%M:%SZ}"
        client = await self._services.backends.database(access.server)
        told = Replacement(meta.uid, meta.name, source)
        announced = await client.breaker.long(client.admin.announce_replacement, database, told)
        if announced.age < SETTLED:
            raise ObstacleError(Reason.SWITCHING, f"Tenant {tenant.name} is closed, its data is switched in a moment")
        if not await client.breaker.long(client.admin.replace, database, _owner(access)):
            raise RefusedError("what was loaded is not there any more")
        cache = await self._services.backends.cache()
        await cache.breaker.long(cache.admin.delete_keys, naming.cache_user(tenant.id))
        return announced.second

    def _require_serving(self, tenant: Tenant) -> None:
        """Ready again, with a pod from after the switch; or suspended, as it was before."""
        conditions = tenant.status.conditions
        if cond.is_true(conditions, ConditionType.SUSPENDED):
            return
        pods = self._services.cluster.pods(tenant.id)
        if not (cond.is_true(conditions, ConditionType.READY) and any(pod.ready for pod in pods)):
            said = tenant.status.message or ""
            raise ObstacleError(Reason.STARTING, f"Data switched, waiting for Tenant {tenant.name}: {said}")
