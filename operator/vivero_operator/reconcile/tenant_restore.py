"""A TenantRestore, of a backup or to a second of the archived log.

To a new tenant: its data is loaded under a new id as that of a deleted tenant would be kept; a Tenant then adopts it. So
nothing serves half a restore, the adoption's own rules decide who has the data, and what was restored is erased or retained
as any tenant's. In place: in_place.py. To be looked at: as_of.py. A restore that fails leaves nothing.
"""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Final

from vivero_core.backends.credentials import Credentials
from vivero_core.backends.kube.errors import KubeAlreadyExistsError
from vivero_core.model import conditions as cond
from vivero_core.model import constants as c
from vivero_core.model import naming
from vivero_core.model.base import Metadata
from vivero_core.model.constants import ConditionType, Reason
from vivero_core.model.database_server import DatabaseServer
from vivero_core.model.operation import OperationStatus
from vivero_core.model.tenant import Tenant, TenantSpec
from vivero_core.model.tenant_backup import TenantBackup
from vivero_core.model.tenant_restore import RestoreResult, TenantRestore

from vivero_operator.archiver import head
from vivero_operator.instance import Instance, TenantKeys
from vivero_operator.operations.errors import RefusedError, StepFailedError
from vivero_operator.operations.orders import (
    MOMENT,
    RESTORE,
    MomentOrder,
    Program,
    RestoreOrder,
    Target,
)
from vivero_operator.operations.runner import Operation
from vivero_operator.reconcile import abandoned, archives, in_use
from vivero_operator.reconcile.as_of import AsOf
from vivero_operator.reconcile.controller import Result
from vivero_operator.reconcile.in_place import CONNECTIONS, InPlace, discard, restoring
from vivero_operator.reconcile.operation import Access, ObstacleError, OperationReconciler, has_ended
from vivero_operator.reconcile.run import Services
from vivero_operator.reconcile.steps import secrets
from vivero_operator.reconcile.steps.backends import (
    drop_database,
    drop_storage,
    provision_database,
    provision_storage,
)
from vivero_operator.reconcile.writing import remember

BEGINS_WITHIN: Final = timedelta(minutes=12)
"""After it was asked for, a restore to a second waits so long for an archive that has not begun: longer than the archiver
waits for a tenant's key."""
VIEW_SECONDS: Final = 30.0
"""How often it is looked whether an open workspace as of a second is to be closed."""


class TenantRestoreReconciler(OperationReconciler[TenantRestore]):
    """Of restores."""

    model = TenantRestore
    result = RestoreResult
    succeeded = (Reason.RESTORED, "Complete: compared with the source, and the new Tenant is Ready")
    action = "Restore"

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._filled: dict[str, str] = {}
        """By name of a restore in place that was begun here and has not ended: its Tenant's name."""
        self._viewed: set[str] = set()
        """Names of restores to be looked at that were begun here: their status may not say so yet."""
        self._loaded: dict[str, str] = {}
        """By name of one to a new Tenant that was begun here and has not ended: the new id."""

    async def reconcile(self, name: str) -> Result:
        item = self._items.get(name)
        if item is not None and item.spec.target.as_of is not None:
            return await self._reconcile_view(item)
        return await self._reconcile_copy(name)

    async def _reconcile_view(self, item: TenantRestore) -> Result:
        """One that is looked at: it ends long after it is complete."""
        if item.metadata.deletion_timestamp is not None:
            await self._close_view(item)
            await in_use.settle(self._services, self._address, item.metadata, [])
            return Result()
        if has_ended(item.status):
            return await self._keep_view(item) if item.is_beside else Result()
        await in_use.settle(self._services, self._address, item.metadata, [item.name])
        return await super().reconcile(item.name)

    async def _keep_view(self, item: TenantRestore) -> Result:
        """An open one, until it is to be closed."""
        view, tenant = AsOf(self._services, item), self._services.cluster.tenant_of(item.status.tenant_id or "")
        if tenant is None or view.is_over(tenant):
            await self._close_view(item)
            now = self._services.now()
            message = f"Closed at {now:%Y-%m-%d %H:%M:%S} (UTC); another TenantRestore opens it again"
            await self._write(item, item.status.model_copy(update={"url": None, "closed_at": now, "message": message}))
            return Result()
        with suppress(ObstacleError):  # the Tenant says so itself, and what is open stays as it is
            await view.keep(tenant, await self.access(tenant))
        return Result(retry_after=VIEW_SECONDS)

    async def _close_view(self, item: TenantRestore) -> None:
        await AsOf(self._services, item).close(self._shown(item), self._viewed)
        self._viewed.discard(item.name)

    async def _reconcile_copy(self, name: str) -> Result:
        if name in self._filled and self._items.get(name) is None:
            await self._clear(name, self._filled[name])
        if name in self._loaded and self._items.get(name) is None:
            record = await self._services.escrow.find(self._loaded[name])
            await abandoned.erase(self._services, [record] if record is not None else [])
            del self._loaded[name]
        result = await super().reconcile(name)
        item = self._items.get(name)
        if item is not None and has_ended(item.status):
            self._filled.pop(name, None)
            self._loaded.pop(name, None)
        return result

    async def _clear(self, name: str, tenant: str) -> None:
        """After one that was deleted under way; another one that has begun since has done it."""
        others = (whose for other, whose in self._filled.items() if other != name)
        if tenant not in others and restoring(self._services, tenant) is None:
            await self._discard(tenant)
        del self._filled[name]

    def program_of(self, item: TenantRestore) -> Program:
        return MOMENT if item.spec.backup is None else RESTORE

    def success(self, item: TenantRestore, said: RestoreResult) -> tuple[Reason, str]:  # noqa: ARG002  its status says more
        if item.spec.target.as_of is not None:
            return (
                Reason.RESTORED,
                f"Complete: open at {item.status.url} until {item.status.expires_at:%Y-%m-%d %H:%M:%S} (UTC), read only",
            )
        if item.status.switched_at is None:
            return self.succeeded
        undo = f"{item.status.switched_at:%Y-%m-%dT%H:%M:%SZ}"
        return (
            Reason.RESTORED,
            f"Complete: compared with the source, and switched; a restore in place to {undo} undoes it",
        )

    async def prepare(self, item: TenantRestore) -> Operation:
        tenant = self._source(item)
        backup = self._backup(item, tenant)
        old = await self.access(tenant)
        if backup is None and not archives.archived(old.server, self._services.settings):
            message = f"DatabaseServer {old.server.name} has no archive of its log (condition Recoverable)"
            raise ObstacleError(Reason.NOT_CONFIGURED, message)
        if item.spec.target.as_of is not None:
            AsOf(self._services, item).require_possible(tenant)
        if backup is None:
            await self._require_archive(item, tenant)
        if item.spec.target.in_place:
            place = InPlace(self._services, item)
            place.require_turn(self._filled)
            self._filled[item.name] = tenant.name
            target = await place.begin(old)
        elif item.spec.target.as_of is not None:
            view = AsOf(self._services, item)
            view.require_turn(tenant, {*self._filled, *self._viewed})
            self._viewed.add(item.name)
            target = await view.begin(tenant, old)
        else:
            target = await self._new_tenant(item, tenant, old)
        return self.operation(item, self._order(item, backup, old, target), target.database)

    async def _require_archive(self, item: TenantRestore, tenant: Tenant) -> None:
        """A new tenant's archive begins once its public key has come to the archiver. Raises ObstacleError for a while."""
        asked = item.metadata.creation_timestamp
        if asked is None or self._services.now() - asked > BEGINS_WITHIN:
            return  # the Job says what is missing
        try:
            store = await self._services.backends.backup_bucket()
            has_begun = await asyncio.to_thread(head.has_begun, store, tenant.id)
        except StepFailedError as error:
            raise ObstacleError(Reason.STORAGE_UNAVAILABLE, f"Not begun: {error}") from error
        if not has_begun:
            message = f"Waiting for the archive of Tenant {tenant.name} to begin, until {asked + BEGINS_WITHIN:%H:%M:%S} (UTC)"
            raise ObstacleError(Reason.ARCHIVING, message)

    async def _new_tenant(self, item: TenantRestore, tenant: Tenant, old: Access) -> Target:
        """Make everything of it but the Tenant."""
        ident = naming.tenant_id(item.metadata.uid)
        self._check_free(item, ident)
        self._loaded[item.name] = ident
        new = Access(ident, await self._keys(item, tenant, old.server), old.server)
        await self._provision(new)
        database, audit = naming.database_name(ident), naming.audit_database_name(ident)
        return Target(
            schemas={naming.database_name(old.ident): database, naming.audit_database_name(old.ident): audit},
            audit=audit,
            database=new.login,
            storage=new.bucket(self._services.settings),
            file_key=new.keys.file_key,
        )

    def _order(
        self, item: TenantRestore, backup: TenantBackup | None, old: Access, target: Target
    ) -> RestoreOrder | MomentOrder:
        if backup is not None:
            return RestoreOrder(old.ident, backup.metadata.uid, target, old.keys.file_key)
        until = item.spec.time or item.metadata.creation_timestamp or self._services.now()
        return MomentOrder(
            tenant=old.ident,
            server=old.server.metadata.uid,
            until=int(until.timestamp()),
            source=old.bucket(self._services.settings),
            target=target,
            file_key=old.keys.file_key,
        )

    async def _provision(self, new: Access) -> None:
        """Schema, user, bucket and account, as every tenant has them."""
        await archives.publish_key(self._services, new.server, new.ident, new.keys.file_key)
        client = await self._services.backends.database(new.server)
        user, database = Credentials(new.login.user, new.login.password), naming.database_name(new.ident)
        await client.breaker.call(provision_database, client.admin, user, database, CONNECTIONS, holds_data=False)
        storage = await self._services.backends.storage()
        account = Credentials(naming.bucket_name(new.ident), new.keys.storage_secret)
        await storage.breaker.call(
            provision_storage, storage.admin, account, new.keys.storage_access_key, holds_data=False
        )

    async def conclude(self, item: TenantRestore) -> None:
        if item.spec.target.in_place:
            tenant = self._source(item)
            await InPlace(self._services, item).finish(tenant, await self.access(tenant))
        elif item.spec.target.as_of is not None:
            shown = self._services.cluster.tenant_of(self._shown(item) or "")
            if shown is None:
                raise RefusedError(f"there is no Tenant {item.spec.tenant} any more")
            await AsOf(self._services, item).finish(shown, await self.access(shown))
        else:
            await self._make_tenant(item)

    async def _make_tenant(self, item: TenantRestore) -> None:
        """Make the Tenant, and wait until it is Ready."""
        ident, target = naming.tenant_id(item.metadata.uid), item.spec.target
        present = self._services.cluster.tenants.get(target.new_tenant)
        if present is None:
            spec = _spec(item, self._source(item), ident)
            manifest = {
                "apiVersion": c.API_VERSION,
                "kind": "Tenant",
                "metadata": {"name": target.new_tenant},
                "spec": spec.dump(),
            }
            with suppress(KubeAlreadyExistsError):  # its event comes in a moment
                remember(Tenant, await self._services.kube.create(manifest), self._services.cluster.tenants)
            raise ObstacleError(Reason.PROVISIONING, f"Waiting for Tenant {target.new_tenant}")
        if present.id != ident:
            raise ObstacleError(Reason.TENANT_EXISTS, f"Tenant {target.new_tenant} was made by somebody else")
        if not cond.is_true(present.status.conditions, ConditionType.READY):
            raise ObstacleError(
                Reason.PROVISIONING, f"Waiting for Tenant {target.new_tenant}: {present.status.message or ''}"
            )

    async def give_up(self, item: TenantRestore) -> None:
        if item.spec.target.in_place:
            await self._discard(item.spec.tenant)
        elif item.spec.target.as_of is not None:
            await self._close_view(item)
        else:
            await self._erase_new(item)

    async def _discard(self, name: str) -> None:
        """Remove what was loaded beside this Tenant's live data."""
        tenant = self._services.cluster.tenants.get(name)
        if tenant is not None:
            await discard(self._services, await self.access(tenant))

    async def _erase_new(self, item: TenantRestore) -> None:
        """Erase what was loaded; its record goes last, for it says where that is."""
        ident = naming.tenant_id(item.metadata.uid)
        record = await self._services.escrow.find(ident)
        server = self._services.cluster.servers.get((record.database_server if record else None) or "")
        if server is None:
            return
        client = await self._services.backends.database(server)
        await client.breaker.long(drop_database, client.admin, ident, data=True)
        storage = await self._services.backends.storage()
        await storage.breaker.long(drop_storage, storage.admin, naming.bucket_name(ident), data=True)
        await self._services.escrow.erase(ident)

    def _source(self, item: TenantRestore) -> Tenant:
        """Who is brought back. Raises ObstacleError."""
        self.require_backup_bucket()
        tenant = self._services.cluster.tenants.get(item.spec.tenant)
        if tenant is None:
            message = f"There is no Tenant {item.spec.tenant}, whose plan and owner the new one would have"
            raise ObstacleError(Reason.TENANT_NOT_FOUND, message)
        return tenant

    def _backup(self, item: TenantRestore, tenant: Tenant) -> TenantBackup | None:
        """None for a restore to a second. Raises ObstacleError when there is nothing to restore."""
        name = item.spec.backup
        if name is None:
            return None
        backup = self._services.cluster.of(TenantBackup).get(name)
        if backup is None:
            raise ObstacleError(Reason.BACKUP_NOT_FOUND, f"There is no TenantBackup {name}")
        if not cond.is_true(backup.status.conditions, ConditionType.COMPLETE) or backup.status.prefix is None:
            state = "has failed" if has_ended(backup.status) else "is not complete yet"
            raise ObstacleError(Reason.BACKUP_NOT_FOUND, f"TenantBackup {name} {state}")
        if backup.status.prefix.partition("/")[0] != tenant.id:
            raise ObstacleError(Reason.BACKUP_NOT_FOUND, f"TenantBackup {name} is not of Tenant {tenant.name}")
        return backup

    async def _write(self, item: TenantRestore, status: OperationStatus) -> None:
        noted: dict[str, object] = {"into": item.into}
        if item.spec.target.as_of is not None:
            noted["tenant_id"] = self._shown(item)
        await super()._write(item, status.model_copy(update=noted))

    def _shown(self, item: TenantRestore) -> str | None:
        """Id of the tenant that a workspace as of a second shows, also when the Tenant is gone."""
        tenant = self._services.cluster.tenants.get(item.spec.tenant)
        return item.status.tenant_id or (tenant.id if tenant is not None else None)

    def _check_free(self, item: TenantRestore, ident: str) -> None:
        """Raises ObstacleError when the new Tenant could not be made."""
        target, tenants = item.spec.target, self._services.cluster.tenants
        present = tenants.get(target.new_tenant)
        if present is not None and present.id != ident:
            raise ObstacleError(Reason.TENANT_EXISTS, f"There is a Tenant {target.new_tenant} already")
        holder = next((one for one in tenants if one.spec.slug == target.slug), None)
        if holder is not None:
            raise ObstacleError(Reason.SLUG_TAKEN, f"Slug {target.slug} belongs to Tenant {holder.name}")

    async def _keys(self, item: TenantRestore, source: Tenant, server: DatabaseServer) -> TenantKeys:
        """The new tenant's keys, in the escrow before any is used.

        All are new, the files' too: whoever is erased takes away what opens their own data, and nobody else's (ADR 0050).
        """
        ident, escrow = naming.tenant_id(item.metadata.uid), self._services.escrow
        record = await escrow.find(ident)
        if record is not None and record.keys is not None:
            return record.keys
        plan = self._services.cluster.plans.get(source.spec.plan)
        if plan is None:
            raise ObstacleError(Reason.PLAN_NOT_FOUND, f"There is no Plan {source.spec.plan}")
        keys = secrets.new_keys()
        if self._services.settings.storage_keys_are_issued:
            keys = await secrets.with_new_access_key(self._services, ident, keys)
        # As if it were of a Tenant that was deleted: the restore's own uid is nobody's.
        metadata = Metadata(name=item.spec.target.new_tenant, uid=item.metadata.uid)
        kept = Tenant(metadata=metadata, spec=_spec(item, source, ident))
        instance = Instance(kept, plan, self._services.settings)
        await escrow.save(instance, keys, server.name, retained_at=self._services.now(), restore=item.name)
        return keys


def _spec(item: TenantRestore, source: Tenant, ident: str) -> TenantSpec:
    """The new Tenant's."""
    owner = source.spec.owner.model_copy(update={"password_hash_secret": None}) if source.spec.owner else None
    return TenantSpec(
        display_name=source.spec.display_name,
        slug=item.spec.target.slug,
        plan=source.spec.plan,
        owner=owner,
        adopt=ident,
    )
