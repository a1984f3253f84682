"""What a TenantBackup's Job needs (operation.py does the rest): the tenant's own logins, and the key of its files."""

from collections.abc import Iterable

from vivero_core.model import conditions as cond
from vivero_core.model import naming
from vivero_core.model.constants import LABEL_SCHEDULED, LABEL_TENANT, ConditionType, Reason
from vivero_core.model.tenant import Tenant
from vivero_core.model.tenant_backup import BackupResult, TenantBackup

from vivero_operator.operations.orders import BACKUP, BackupOrder, Former, Program
from vivero_operator.operations.runner import Operation
from vivero_operator.reconcile.archives import archived
from vivero_operator.reconcile.in_place import loading_beside
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
        if (other := loading_beside(self._services, tenant.name)) is not None:
            # Its dump would not hold the schema beside the live one, which the log from there on counts on.
            raise ObstacleError(Reason.WAITING_FOR_TURN, f"Waiting for TenantRestore {other.name}")
        logged = archived(access.server, self._services.settings)
        order = BackupOrder(
            tenant=tenant.id,
            uid=item.metadata.uid,
            schemas=(naming.database_name(tenant.id), naming.audit_database_name(tenant.id)),
            logged=logged,
            storage=access.bucket(self._services.settings),
            file_key=access.keys.file_key,
            # Of a server whose log is archived it is known before (backup_schedule.py).
            former=None if logged else self._former(item, tenant),
            others=await self.of_others(access),
        )
        return self.operation(item, order, access.login)

    def _former(self, item: TenantBackup, tenant: Tenant) -> Former | None:
        """What the Job of a scheduled backup compares with: what has not changed is not written again."""
        found = newest_complete(self._services.cluster.of(TenantBackup), tenant)
        scheduled = LABEL_SCHEDULED in item.metadata.labels
        return Former(found.name, found.metadata.uid) if scheduled and found is not None else None

    def success(self, item: TenantBackup, said: BackupResult) -> tuple[Reason, str]:
        if said.unchanged_since is None:
            return super().success(item, said)
        return Reason.UNCHANGED, f"Unchanged since TenantBackup {said.unchanged_since}: nothing was written"


def by_tenant(backups: Iterable[TenantBackup]) -> dict[str, list[TenantBackup]]:
    """By the name of the Tenant, which may be another one by now (`is_backup_of`)."""
    found: dict[str, list[TenantBackup]] = {}
    for one in backups:
        found.setdefault(one.spec.tenant, []).append(one)
    return found


def is_scheduled(backup: TenantBackup, tenant: Tenant) -> bool:
    """Whether the schedule of this very tenant has made it, and not one of another Tenant that had the name."""
    labels = backup.metadata.labels
    return LABEL_SCHEDULED in labels and labels.get(LABEL_TENANT) == tenant.id


def is_backup_of(backup: TenantBackup, tenant: Tenant) -> bool:
    """Whether it is complete, and holds this tenant's data."""
    complete = cond.is_true(backup.status.conditions, ConditionType.COMPLETE)
    return complete and (backup.status.prefix or "").startswith(f"{tenant.id}/") and backup.status.taken_at is not None


def newest_complete(backups: Iterable[TenantBackup], tenant: Tenant) -> TenantBackup | None:
    """The tenant's newest complete backup, scheduled or made by hand."""
    found = (one for one in backups if is_backup_of(one, tenant) and one.metadata.deletion_timestamp is None)
    return max(found, key=lambda one: (one.status.taken_at, one.name), default=None)
