"""A TenantRestore to be looked at: a workspace as of a second, beside the live one and read only (ADR 0048).

Its schemas are the tenant's, beside the live one; bucket and cache user are its own, named by an id of its own. Its objects
are in the tenant's namespace, and owned by the TenantRestore, whose finalizer holds it until nothing is left. It shows a
workspace that serves: when that is suspended or deleted, it is closed.
"""

from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from vivero_core.backends.credentials import Credentials
from vivero_core.backends.kube.errors import KubeAlreadyExistsError, KubeForbiddenError, KubeNotFoundError
from vivero_core.backends.kube.resources import DEPLOYMENT, SECRET, SERVICE, Resource
from vivero_core.model import naming
from vivero_core.model.constants import Reason
from vivero_core.model.tenant import Tenant
from vivero_core.model.tenant_backup import TenantBackup
from vivero_core.model.tenant_restore import TenantRestore

from vivero_operator.instance import DatabaseAddress, Instance, Manifest, TenantKeys
from vivero_operator.manifests import as_of as manifests
from vivero_operator.manifests.as_of import View
from vivero_operator.operations.errors import RefusedError
from vivero_operator.operations.orders import Account, Login, Target
from vivero_operator.policies import as_of as policy
from vivero_operator.reconcile import routes
from vivero_operator.reconcile.in_place import restoring
from vivero_operator.reconcile.operation import Access, ObstacleError, has_ended, is_under_way
from vivero_operator.reconcile.run import Services
from vivero_operator.reconcile.steps import secrets
from vivero_operator.reconcile.steps.backends import drop_cache, drop_storage, provision_storage

OPEN_FOR: Final = timedelta(hours=24)
"""Long enough for a working day's question; it takes room on the server as long as it is open."""
CONNECTIONS: Final = 10
"""Of its login: the program's pool, twice."""


class AsOf:
    """What is done for one of them, before its Job, after it and at its end."""

    def __init__(self, services: Services, item: TenantRestore) -> None:
        self._services = services
        self._item = item
        self._routes = routes.of(services.settings)

    def require_turn(self, tenant: Tenant, begun: Collection[str]) -> None:
        """Raises RefusedError for what cannot be, and ObstacleError while something else has to end first.

        `begun`: names of restores whose Job may be there in a moment.
        """
        self.require_possible(tenant)
        cluster, others = self._services.cluster, self._others()
        first = self._in_the_way(tenant, others, begun)
        if first is not None:
            shows = ", which shows this tenant already: delete it to see another second"
            message = f"Waiting for TenantRestore {first.name}{shows if first.spec.target.as_of is not None else ''}"
            raise ObstacleError(Reason.WAITING_FOR_TURN, message)
        for backup in cluster.of(TenantBackup):
            if backup.spec.tenant == tenant.name and is_under_way(backup):
                raise ObstacleError(Reason.WAITING_FOR_TURN, f"Waiting for TenantBackup {backup.name}")

    def require_possible(self, tenant: Tenant) -> None:
        """Raises RefusedError for what no wait would help."""
        self._require_showable(tenant)
        settings, tenants = self._services.settings, self._services.cluster.tenants
        taken = policy.host_problem(self._host(), settings.base_domain, tenants, self._others())
        if taken is not None:
            raise RefusedError(taken)

    def _others(self) -> list[TenantRestore]:
        return [one for one in self._services.cluster.of(TenantRestore) if one.name != self._item.name]

    def _in_the_way(
        self, tenant: Tenant, others: Iterable[TenantRestore], begun: Collection[str]
    ) -> TenantRestore | None:
        """One that shows this tenant, or is replacing its data."""
        of_tenant = (one for one in others if one.spec.tenant == tenant.name)
        beside = (one for one in of_tenant if one.is_beside or (one.name in begun and not has_ended(one.status)))
        return restoring(self._services, tenant.name) or next(beside, None)

    async def begin(self, tenant: Tenant, old: Access) -> Target:
        """Make what is filled, and who may fill it."""
        view = self._view(tenant)
        keys = manifests.keys_in(await self._secret(view, old))
        await self._make_storage(view, keys)
        database, audit = naming.database_name(old.ident), naming.audit_database_name(old.ident)
        at, user = old.server.spec, naming.viewing_user(old.ident)
        client = await self._services.backends.database(old.server)
        reader = Credentials(user, keys.database_password)
        await client.breaker.long(client.admin.begin_view, database, reader, CONNECTIONS)
        data, log = naming.as_of_database_names(old.ident)
        settings, bucket = self._services.settings, naming.bucket_name(view.id)
        return Target(
            schemas={database: data, audit: log},
            # Filled like any schema: nobody's audit log is added to.
            audit="",
            database=Login(at.host, at.port, user, keys.database_password),
            storage=Account(
                settings.s3_endpoint,
                settings.s3_region,
                bucket,
                keys.storage_access_key or bucket,
                keys.storage_secret,
            ),
            file_key=keys.file_key,
        )

    async def finish(self, tenant: Tenant, old: Access) -> None:
        """Open the workspace; each call does the next part.

        Raises:
            ObstacleError: it is not open yet.
            RefusedError: it cannot be.
        """
        self._require_showable(tenant)
        view = self._view(tenant)
        if self._item.status.expires_at is None:
            await self._bring_up_to_date(view, old)
            await self._open(view, old)
            noted = {"url": view.url, "expires_at": self._services.now() + OPEN_FOR}
            raise ObstacleError(Reason.STARTING, f"Compared; starting the workspace at {view.host}", **noted)
        live = await self._ensure_objects(view, old)
        _require_up(live, f"Waiting for the pod of the workspace at {view.host}")

    async def keep(self, tenant: Tenant, old: Access) -> None:
        """What somebody changed or deleted of an open one is put back."""
        await self._ensure_objects(self._view(tenant), old)

    def is_over(self, tenant: Tenant | None) -> bool:
        """Whether an open one is to be closed."""
        expires = self._item.status.expires_at
        return (
            tenant is None or policy.obstacle(tenant) is not None or expires is None or expires <= self._services.now()
        )

    async def close(self, ident: str | None, begun: Collection[str]) -> None:
        """Remove all of it; idempotent.

        `ident`: of the tenant that it shows, None if nothing was begun. `begun`: see `require_turn`.
        """
        if ident is None:
            return
        name, namespace = manifests.name_of(self._item.metadata), naming.namespace_name(ident)
        # The way in first, then the pod, then what it reads.
        for resource in (self._routes.resource, SERVICE, DEPLOYMENT, SECRET):
            await self._remove(resource, name, namespace)
        if not self._another_has_its_schemas(begun):
            await self._discard_schemas(ident)
        own = naming.tenant_id(self._item.metadata.uid)
        storage = await self._services.backends.storage()
        await storage.breaker.long(drop_storage, storage.admin, naming.bucket_name(own), data=True)
        cache = await self._services.backends.cache()
        await cache.breaker.long(drop_cache, cache.admin, naming.cache_user(own))

    def _another_has_its_schemas(self, begun: Collection[str]) -> bool:
        """A tenant has one such workspace at a time: the next one's data is where this one's was."""
        shown = (one for one in self._others() if one.spec.target.as_of is not None)
        of_tenant = (one for one in shown if one.spec.tenant == self._item.spec.tenant)
        return any(one.is_beside or (one.name in begun and not has_ended(one.status)) for one in of_tenant)

    async def _discard_schemas(self, ident: str) -> None:
        for server in self._services.cluster.servers:
            if await self._may_hold(server.name, ident):
                client = await self._services.backends.database(server)
                await client.breaker.long(client.admin.discard_view, naming.database_name(ident))

    async def _may_hold(self, server: str, ident: str) -> bool:
        """Whether the tenant's schemas are there; without any record, nobody knows."""
        tenant = self._services.cluster.tenant_of(ident)
        record = await self._services.escrow.find(ident)
        placed = (record.database_server if record else None) or (tenant.status.database_server if tenant else None)
        return placed in {None, server}

    async def _bring_up_to_date(self, view: View, old: Access) -> None:
        """Have tables of an older revision migrated by today's program, with the login that has filled them.

        It has no address yet. Where it has begun it is waited for, for its revision may be ahead of the live one's.
        """
        client, kube = await self._services.backends.database(old.server), self._services.kube
        if not await self._migrates(view) and not await client.breaker.call(
            client.admin.is_view_older, naming.database_name(old.ident)
        ):
            return
        await self._ensure_cache_user(view, manifests.keys_in(await self._secret(view, old)))
        live = await kube.apply(await self._deployment(view, old, migrates=True))
        _require_up(live, "Compared; bringing the tables of that second to the revision of today's program")

    async def _migrates(self, view: View) -> bool:
        try:
            live = await self._services.kube.get(DEPLOYMENT, view.name, view.instance.namespace)
        except KubeNotFoundError:
            return False
        return manifests.migrates(live)

    async def _ensure_cache_user(self, view: View, keys: TenantKeys) -> None:
        cache = await self._services.backends.cache()
        await cache.breaker.call(cache.admin.ensure_user, Credentials(naming.cache_user(view.id), keys.cache_password))

    async def _open(self, view: View, old: Access) -> None:
        """From now on nobody can write what was loaded."""
        live = await self._secret(view, old)
        keys = manifests.keys_in(live)
        client = await self._services.backends.database(old.server)
        user = Credentials(naming.viewing_user(old.ident), keys.database_password)
        database = naming.database_name(old.ident)
        problem = await client.breaker.long(client.admin.open_view, database, user, CONNECTIONS)
        if problem is not None:
            raise RefusedError(problem)
        await self._ensure_cache_user(view, keys)

    async def _ensure_objects(self, view: View, old: Access) -> dict[str, Any]:
        """Its objects; the Deployment as it is now."""
        kube = self._services.kube
        deployment = await self._deployment(view, old)
        await kube.apply(manifests.service(view))
        await kube.apply(manifests.route(view, self._routes.build_at(view.instance, view.host, view.name)))
        return await kube.apply(deployment)

    async def _deployment(self, view: View, old: Access, *, migrates: bool = False) -> Manifest:
        rollout, live = self._services.rollout, await self._secret(view, old)
        # Today's program, whatever the tenant's is: an older one may not know what a view is.
        template, second = rollout.template(rollout.current), self._item.status.restored_to
        if template is None or second is None:
            raise RefusedError("it is not known what was restored")
        return manifests.deployment(view, template, second, content=live, migrates=migrates)

    async def _secret(self, view: View, old: Access) -> dict[str, Any]:
        """Its one Secret, with keys that are made once."""
        kube, namespace = self._services.kube, view.instance.namespace
        try:
            return await kube.get(SECRET, view.name, namespace)
        except KubeNotFoundError:
            manifest = manifests.secret(view, await self._new_keys(view), DatabaseAddress.of(old.server))
        with suppress(KubeAlreadyExistsError):
            return await kube.create(manifest)
        return await kube.get(SECRET, view.name, namespace)

    async def _new_keys(self, view: View) -> TenantKeys:
        keys = secrets.new_keys()
        if self._services.settings.storage_keys_are_issued:
            keys = await secrets.with_new_access_key(self._services, view.id, keys)
        return keys

    async def _make_storage(self, view: View, keys: TenantKeys) -> None:
        storage = await self._services.backends.storage()
        account = Credentials(naming.bucket_name(view.id), keys.storage_secret)
        await storage.breaker.call(provision_storage, storage.admin, account, keys.storage_access_key, holds_data=False)

    async def _remove(self, resource: Resource, name: str, namespace: str) -> None:
        # Where the namespace goes, our rights in it go, and everything in it.
        with suppress(KubeNotFoundError, KubeForbiddenError):
            live: Manifest = await self._services.kube.get(resource, name, namespace)
            await self._services.kube.delete(resource, name, namespace, uid=live["metadata"]["uid"])

    def _require_showable(self, tenant: Tenant) -> None:
        problem = policy.obstacle(tenant)
        if problem is not None:
            raise RefusedError(problem)

    def _view(self, tenant: Tenant) -> View:
        plan = self._services.cluster.plans.get(tenant.spec.plan)
        if plan is None:
            raise ObstacleError(Reason.PLAN_NOT_FOUND, f"There is no Plan {tenant.spec.plan}")
        return View(self._item.metadata, Instance(tenant, plan, self._services.settings), self._host())

    def _host(self) -> str:
        target = self._item.spec.target.as_of
        given = target.host if target is not None else None
        return given or self._services.settings.public_host(manifests.name_of(self._item.metadata))


def _require_up(live: Manifest, waiting: str) -> None:
    """Raises ObstacleError while no pod of the Deployment is ready, and RefusedError when none will be."""
    if (problem := policy.deployment_problem(live)) is not None:
        raise RefusedError(problem)
    if not policy.is_up(live):
        raise ObstacleError(Reason.STARTING, waiting)
