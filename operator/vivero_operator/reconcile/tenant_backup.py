"""What a TenantBackup's Job needs (operation.py does the rest): the tenant's own logins, and the key of its files."""

from vivero_core.model import naming
from vivero_core.model.constants import Reason
from vivero_core.model.tenant_backup import BackupResult, TenantBackup

from vivero_operator.operations.backup_order import BACKUP, BackupOrder, Program
from vivero_operator.operations.runner import Operation
from vivero_operator.reconcile.archives import archived
from vivero_operator.reconcile.in_place import restoring
from vivero_operator.reconcile.operation import ObstacleError, OperationReconciler


class TenantBackupReconciler(OperationReconciler[TenantBackup]):
    """Of backups."""

    model = TenantBackup
    result = BackupResult
    succeeded = (Reason.BACKED_UP, "Complete: read back, the same as written")
    action = "BackUp"

    def program_of(self, item: TenantBackup) -> Program:  # noqa: ARG002  all have the same
        return BACKUP

    async def prepare(self, item: TenantBackup) -> Operation:
        self.require_backup_bucket()
        tenant = self._services.cluster.tenants.get(item.spec.tenant)
        if tenant is None:
            raise ObstacleError(Reason.TENANT_NOT_FOUND, f"There is no Tenant {item.spec.tenant}")
        access = await self.access(tenant)
        if (other := restoring(self._services, tenant.name)) is not None:
            # Its dump would not hold the schema beside the live one, which the log from there on counts on.
            raise ObstacleError(Reason.WAITING_FOR_TURN, f"Waiting for TenantRestore {other.name}")
        order = BackupOrder(
            tenant=tenant.id,
            uid=item.metadata.uid,
            schemas=(naming.database_name(tenant.id), naming.audit_database_name(tenant.id)),
            logged=archived(access.server, self._services.settings),
            storage=access.bucket(self._services.settings),
            file_key=access.keys.file_key,
        )
        return self.operation(item, order, access.login)
