"""The registry of our kinds: from a line here follows all that is done for each (KindSpec says what).

It is watched, mirrored, queued, reconciled and reported when it cannot be parsed; `python -m vivero_operator.generated`
writes its definition and everybody's rights. CONTRIBUTING.md says what else a new kind takes.
"""

from functools import partial
from typing import Any, Final

from vivero_core.model.database_server import DatabaseServer
from vivero_core.model.plan import Plan
from vivero_core.model.platform_backup import PlatformBackup
from vivero_core.model.release import Release
from vivero_core.model.tenant import Tenant
from vivero_core.model.tenant_backup import TenantBackup
from vivero_core.model.tenant_erasure import TenantErasure
from vivero_core.model.tenant_pool import TenantPool
from vivero_core.model.tenant_proof import TenantProof
from vivero_core.model.tenant_restore import TenantRestore

from vivero_operator.handlers import tenants
from vivero_operator.reconcile import database_server, in_place, plan, tenant_pool
from vivero_operator.reconcile.cluster import Cluster
from vivero_operator.reconcile.context import HandlerContext
from vivero_operator.reconcile.controller import Key
from vivero_operator.reconcile.database_server import DatabaseServerReconciler
from vivero_operator.reconcile.kind import KindSpec
from vivero_operator.reconcile.plan import PlanReconciler
from vivero_operator.reconcile.platform_backup import PlatformBackupReconciler
from vivero_operator.reconcile.release import ReleaseReconciler
from vivero_operator.reconcile.run import Services
from vivero_operator.reconcile.tenant import TenantReconciler
from vivero_operator.reconcile.tenant_backup import TenantBackupReconciler
from vivero_operator.reconcile.tenant_erasure import TenantErasureReconciler
from vivero_operator.reconcile.tenant_pool import TenantPoolReconciler
from vivero_operator.reconcile.tenant_proof import TenantProofReconciler
from vivero_operator.reconcile.tenant_restore import TenantRestoreReconciler


def _database_servers(services: Services, context: HandlerContext) -> DatabaseServerReconciler:
    return DatabaseServerReconciler(services, partial(database_server.wake, context), context.sweep)


def _platform_backups(services: Services, context: HandlerContext) -> PlatformBackupReconciler:
    return PlatformBackupReconciler(services, lambda name: context.queue.add(Key("DatabaseServer", name)))


KINDS: Final[tuple[KindSpec[Any], ...]] = (
    KindSpec(
        Tenant,
        lambda services, context: TenantReconciler(services, context.state),
        verbs=("patch", "create", "delete"),  # spares are made and given up here
        edited=True,
        deleted_unread=True,
        observe=tenants.observe,
        forget=tenants.forget,
    ),
    KindSpec(
        Plan,
        lambda services, _: PlanReconciler(services),
        verbs=("patch",),  # for the finalizer that keeps what is in use
        users=Cluster.users_of_plan,
        observe=plan.observe,
        forget=plan.forget,
    ),
    KindSpec(
        DatabaseServer,
        _database_servers,
        verbs=("patch",),
        users=Cluster.users_of_server,
        observe=database_server.observe,
        forget=database_server.forget,
    ),
    KindSpec(
        TenantPool,
        lambda services, _: TenantPoolReconciler(services),
        edited=True,
        observe=tenant_pool.observe,
        forget=tenant_pool.forget,
    ),
    KindSpec(Release, lambda services, context: ReleaseReconciler(services, context.move), verbs=("create", "delete")),
    KindSpec(
        TenantBackup,
        lambda services, _: TenantBackupReconciler(services),
        verbs=("create", "delete"),  # those of a schedule, and the last of who is deleted
        edited=True,
    ),
    KindSpec(
        TenantRestore,
        lambda services, _: TenantRestoreReconciler(services),
        verbs=("patch",),  # for the finalizer of one that is looked at
        edited=True,
        observe=in_place.observe,
        forget=in_place.forget,
    ),
    KindSpec(
        TenantProof,
        lambda services, context: TenantProofReconciler(services, lambda name: context.queue.add(Key("Tenant", name))),
        verbs=("create", "delete"),  # one a night, and what need not be kept
        edited=True,
    ),
    KindSpec(PlatformBackup, _platform_backups),
    # Made here where a Tenant goes whose data is kept for a while, and made again.
    KindSpec(TenantErasure, lambda services, _: TenantErasureReconciler(services), verbs=("create",), edited=True),
)
