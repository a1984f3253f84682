"""A TenantRestore: its data is loaded under a new id as that of a deleted tenant would be kept; a Tenant then adopts it.

So nothing serves half a restore, the adoption's own rules decide who has the data, and what was restored is erased or
retained as any tenant's. A restore that fails leaves nothing.
"""

import secrets
from contextlib import suppress
from dataclasses import dataclass, replace

from vivero_core.backends.credentials import Credentials
from vivero_core.backends.kube.errors import KubeAlreadyExistsError
from vivero_core.backends.mariadb.protocol import DatabaseAdmin
from vivero_core.backends.s3.protocol import StorageAdmin
from vivero_core.model import conditions as cond
from vivero_core.model import constants as c
from vivero_core.model import naming
from vivero_core.model.base import Metadata
from vivero_core.model.constants import ConditionType, Reason
from vivero_core.model.database_server import DatabaseServer
from vivero_core.model.tenant import Tenant, TenantSpec
from vivero_core.model.tenant_backup import TenantBackup
from vivero_core.model.tenant_restore import RestoreResult, TenantRestore

from vivero_operator.escrow.record import Record
from vivero_operator.instance import Instance, TenantKeys
from vivero_operator.operations.backup_order import (
    CLIENT_FILE,
    ORDER_FILE,
    RESTORE,
    RESTORE_STEPS,
    Account,
    Login,
    RestoreOrder,
)
from vivero_operator.operations.runner import Operation
from vivero_operator.reconcile.operation import ObstacleError, OperationReconciler, has_ended
from vivero_operator.reconcile.steps.backends import drop_database, drop_storage
from vivero_operator.reconcile.writing import remember


@dataclass(frozen=True)
class Source:
    """What is restored."""

    backup: TenantBackup
    tenant: Tenant
    record: Record
    keys: TenantKeys
    server: DatabaseServer


class TenantRestoreReconciler(OperationReconciler[TenantRestore]):
    """Of restores."""

    model = TenantRestore
    program = RESTORE
    steps = RESTORE_STEPS
    result = RestoreResult
    succeeded = (Reason.RESTORED, "Complete: compared with the backup, and the new Tenant is Ready")
    action = "Restore"

    async def prepare(self, item: TenantRestore) -> Operation:
        source = await self._source(item)
        ident, settings = naming.tenant_id(item.metadata.uid), self._services.settings
        self._check_free(item, ident)
        keys = await self._keys(item, source)
        database, bucket = naming.database_name(ident), naming.bucket_name(ident)
        user = Credentials(naming.database_users(ident)[0], keys.database_password)
        client = await self._services.backends.database(source.server)
        await client.breaker.call(_make_database, client.admin, user, database)
        storage = await self._services.backends.storage()
        account = Credentials(bucket, keys.storage_secret)
        await storage.breaker.call(_make_storage, storage.admin, account, keys.storage_access_key)
        login = Login(source.server.spec.host, source.server.spec.port, user.name, user.secret)
        order = RestoreOrder(
            tenant=source.tenant.id,
            uid=source.backup.metadata.uid,
            schemas={
                naming.database_name(source.tenant.id): database,
                naming.audit_database_name(source.tenant.id): naming.audit_database_name(ident),
            },
            audit=naming.audit_database_name(ident),
            database=login,
            storage=Account(
                settings.s3_endpoint, settings.s3_region, bucket, keys.storage_access_key or bucket, keys.storage_secret
            ),
            file_key=keys.file_key,
        )
        return Operation(
            program=self.program,
            kind=TenantRestore.__name__,
            owner=item.metadata,
            steps=self.steps,
            files={ORDER_FILE: order.dump(), CLIENT_FILE: login.option_file()},
            storage_secret=settings.backup_secret,
        )

    async def conclude(self, item: TenantRestore) -> None:
        """Make the Tenant, and wait until it is Ready."""
        ident, target = naming.tenant_id(item.metadata.uid), item.spec.target
        present = self._services.cluster.tenants.get(target.tenant)
        if present is None:
            source = await self._source(item)
            spec = _spec(item, source.tenant, ident)
            manifest = {
                "apiVersion": c.API_VERSION,
                "kind": "Tenant",
                "metadata": {"name": target.tenant},
                "spec": spec.dump(),
            }
            with suppress(KubeAlreadyExistsError):  # its event comes in a moment
                remember(Tenant, await self._services.kube.create(manifest), self._services.cluster.tenants)
            raise ObstacleError(Reason.PROVISIONING, f"Waiting for Tenant {target.tenant}")
        if present.id != ident:
            raise ObstacleError(Reason.TENANT_EXISTS, f"Tenant {target.tenant} was made by somebody else")
        if not cond.is_true(present.status.conditions, ConditionType.READY):
            raise ObstacleError(
                Reason.PROVISIONING, f"Waiting for Tenant {target.tenant}: {present.status.message or ''}"
            )

    async def give_up(self, item: TenantRestore) -> None:
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

    async def _source(self, item: TenantRestore) -> Source:
        cluster = self._services.cluster
        if not self._services.settings.backup_secret:
            raise ObstacleError(Reason.NOT_CONFIGURED, "The operator has no backup bucket (setting backup_secret)")
        backup = cluster.of(TenantBackup).get(item.spec.backup)
        if backup is None:
            raise ObstacleError(Reason.BACKUP_NOT_FOUND, f"There is no TenantBackup {item.spec.backup}")
        if not cond.is_true(backup.status.conditions, ConditionType.COMPLETE) or backup.status.prefix is None:
            state = "has failed" if has_ended(backup.status) else "is not complete yet"
            raise ObstacleError(Reason.BACKUP_NOT_FOUND, f"TenantBackup {backup.name} {state}")
        ident = backup.status.prefix.partition("/")[0]
        tenant = next((one for one in cluster.tenants if one.id == ident), None)
        if tenant is None:
            raise ObstacleError(
                Reason.TENANT_NOT_FOUND, f"The Tenant with the id {ident} is gone; its plan and owner with it"
            )
        record = await self._services.escrow.find(ident)
        if record is None or record.keys is None:
            raise ObstacleError(Reason.KEYS_LOST, f"The escrowed keys of Tenant {tenant.name} cannot be opened")
        server = cluster.servers.get(record.database_server or "")
        if server is None:
            raise ObstacleError(
                Reason.DATABASE_SERVER_NOT_FOUND, f"There is no DatabaseServer {record.database_server}"
            )
        return Source(backup, tenant, record, record.keys, server)

    def _check_free(self, item: TenantRestore, ident: str) -> None:
        """Raises ObstacleError when the new Tenant could not be made."""
        target, tenants = item.spec.target, self._services.cluster.tenants
        present = tenants.get(target.tenant)
        if present is not None and present.id != ident:
            raise ObstacleError(Reason.TENANT_EXISTS, f"There is a Tenant {target.tenant} already")
        holder = next((one for one in tenants if one.spec.slug == target.slug), None)
        if holder is not None:
            raise ObstacleError(Reason.SLUG_TAKEN, f"Slug {target.slug} belongs to Tenant {holder.name}")

    async def _keys(self, item: TenantRestore, source: Source) -> TenantKeys:
        """The new tenant's keys, in the escrow before any is used: new ones, but for the key of the files."""
        ident = naming.tenant_id(item.metadata.uid)
        record = await self._services.escrow.find(ident)
        if record is not None and record.keys is not None:
            return record.keys
        plan = self._services.cluster.plans.get(source.tenant.spec.plan)
        if plan is None:
            raise ObstacleError(Reason.PLAN_NOT_FOUND, f"There is no Plan {source.tenant.spec.plan}")
        keys = TenantKeys(
            database_password=secrets.token_hex(32),
            cache_password=secrets.token_hex(32),
            storage_secret=secrets.token_hex(32),
            signing_key=secrets.token_hex(32),
            file_key=source.keys.file_key,
            operator_token=secrets.token_hex(32),
        )
        if self._services.settings.storage_keys_are_issued:
            storage = await self._services.backends.storage()
            made = await storage.breaker.call(storage.admin.new_key, naming.bucket_name(ident))
            keys = replace(keys, storage_access_key=made.name, storage_secret=made.secret)
        # As if it were of a Tenant that was deleted: the restore's own uid is nobody's.
        kept = Tenant(
            metadata=Metadata(name=item.spec.target.tenant, uid=item.metadata.uid),
            spec=_spec(item, source.tenant, ident),
        )
        instance = Instance(kept, plan, self._services.settings)
        await self._services.escrow.save(instance, keys, source.server.name, retained_at=self._services.now())
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


def _make_database(admin: DatabaseAdmin, user: Credentials, database: str) -> None:
    admin.ensure_database(database)
    admin.ensure_user(user, database, CONNECTIONS)


def _make_storage(admin: StorageAdmin, account: Credentials, access_key: str | None) -> None:
    admin.ensure_account(account, access_key)
    admin.ensure_bucket(account.name, account.name)


CONNECTIONS = 5
"""While the data is loaded; the Tenant's plan decides afterwards."""
