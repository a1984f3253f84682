"""What a TenantBackup's Job needs (operation.py does the rest): the tenant's own logins, and the key of its files."""

from vivero_core.model import naming
from vivero_core.model.constants import Reason
from vivero_core.model.tenant_backup import BackupResult, TenantBackup

from vivero_operator.operations.backup_order import (
    BACKUP,
    BACKUP_STEPS,
    CLIENT_FILE,
    ORDER_FILE,
    Account,
    BackupOrder,
    Login,
)
from vivero_operator.operations.runner import Operation
from vivero_operator.reconcile.operation import ObstacleError, OperationReconciler


class TenantBackupReconciler(OperationReconciler[TenantBackup]):
    """Of backups."""

    model = TenantBackup
    program = BACKUP
    steps = BACKUP_STEPS
    result = BackupResult
    succeeded = (Reason.BACKED_UP, "Complete: read back, the same as written")
    action = "BackUp"

    async def prepare(self, item: TenantBackup) -> Operation:
        settings, cluster = self._services.settings, self._services.cluster
        if not settings.backup_secret:
            raise ObstacleError(Reason.NOT_CONFIGURED, "The operator has no backup bucket (setting backup_secret)")
        tenant = cluster.tenants.get(item.spec.tenant)
        if tenant is None:
            raise ObstacleError(Reason.TENANT_NOT_FOUND, f"There is no Tenant {item.spec.tenant}")
        record = await self._services.escrow.find(tenant.id)
        if record is None:
            raise ObstacleError(Reason.PROVISIONING, f"Tenant {tenant.name} is still being provisioned")
        keys = record.keys
        if keys is None:
            raise ObstacleError(Reason.KEYS_LOST, f"The escrowed keys of Tenant {tenant.name} cannot be opened")
        server = cluster.servers.get(record.database_server or "")
        if server is None:
            raise ObstacleError(
                Reason.DATABASE_SERVER_NOT_FOUND, f"There is no DatabaseServer {record.database_server}"
            )
        bucket = naming.bucket_name(tenant.id)
        order = BackupOrder(
            tenant=tenant.id,
            uid=item.metadata.uid,
            schemas=(naming.database_name(tenant.id), naming.audit_database_name(tenant.id)),
            storage=Account(
                settings.s3_endpoint, settings.s3_region, bucket, keys.storage_access_key or bucket, keys.storage_secret
            ),
            file_key=keys.file_key,
        )
        user = naming.database_users(tenant.id)[0]
        login = Login(server.spec.host, server.spec.port, user, keys.database_password)
        return Operation(
            program=self.program,
            kind=TenantBackup.__name__,
            owner=item.metadata,
            steps=self.steps,
            files={ORDER_FILE: order.dump(), CLIENT_FILE: login.option_file()},
            storage_secret=settings.backup_secret,
        )
