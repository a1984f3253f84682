"""What a TenantProof's Job needs (operation.py does the rest), and whom its end concerns: the Tenant, which says so."""

from collections.abc import Callable
from dataclasses import replace

from vivero_core.model import conditions as cond
from vivero_core.model import naming
from vivero_core.model.constants import ConditionType, Reason
from vivero_core.model.tenant_proof import ProofResult, TenantProof

from vivero_operator.manifests.event import ObjectEvent, Subject
from vivero_operator.operations.orders import PROOF, Program, ProofOrder
from vivero_operator.operations.runner import Operation
from vivero_operator.reconcile.archives import archived
from vivero_operator.reconcile.operation import ObstacleError, OperationReconciler
from vivero_operator.reconcile.run import Services


class TenantProofReconciler(OperationReconciler[TenantProof]):
    """Of proofs."""

    model = TenantProof
    result = ProofResult
    succeeded = (Reason.PASSED, "Passed: what the archive restores is the same as the live data")
    action = "Prove"

    def __init__(self, services: Services, wake: Callable[[str], None]) -> None:
        """`wake`: has the Tenant of this name say what came of it."""
        super().__init__(services)
        self._wake = wake

    def program_of(self, item: TenantProof) -> Program:  # noqa: ARG002  all have the same
        return PROOF

    async def prepare(self, item: TenantProof) -> Operation:
        self.require_backup_bucket()
        tenant = self._services.cluster.tenants.get(item.spec.tenant)
        if tenant is None:
            raise ObstacleError(Reason.TENANT_NOT_FOUND, f"There is no Tenant {item.spec.tenant}")
        access = await self.access(tenant)
        if not archived(access.server, self._services.settings):
            message = f"DatabaseServer {access.server.name} has no archive of its log (condition Recoverable)"
            raise ObstacleError(Reason.NOT_CONFIGURED, message)
        order = ProofOrder(
            tenant=tenant.id,
            uid=item.metadata.uid,
            server=access.server.metadata.uid,
            schemas=(naming.database_name(tenant.id), naming.audit_database_name(tenant.id)),
            source=access.bucket(self._services.settings),
            file_key=access.keys.file_key,
            others=await self.of_others(access),
        )
        return self.operation(item, order, access.login)

    async def announce(self, item: TenantProof, event: ObjectEvent) -> None:
        """At the Tenant, where people look: each failure, and the first success and one after a failure."""
        tenant = self._services.cluster.tenants.get(item.spec.tenant)
        if tenant is None:
            return
        self._wake(tenant.name)
        passed = event.reason == Reason.PASSED
        if passed and cond.is_true(tenant.status.conditions, ConditionType.RECOVERABLE):
            return
        about = replace(
            event,
            subject=Subject.of("Tenant", tenant.metadata),
            reason=Reason.RECOVERY_PROVEN if passed else Reason.RECOVERY_NOT_PROVEN,
            note=f"TenantProof {item.name}: {event.note}",
        )
        await self._services.recorder.record(about)
