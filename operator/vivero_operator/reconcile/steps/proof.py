"""Ready is a proof: the tenant's own pod has just used its schema, its bucket and its cache keys."""

from datetime import timedelta

from vivero_core.model.conditions import is_true
from vivero_core.model.constants import ConditionType, Reason

from vivero_operator.policies import neighbours as policy
from vivero_operator.policies.outcome import Outcome, Pending, done
from vivero_operator.reconcile.run import Run
from vivero_operator.reconcile.steps import owner, workload


def _stands(run: Run) -> bool:
    """Whether the last proof still counts: young enough, of this generation and release, and nothing was wrong since."""
    status = run.tenant.status
    if status.proven_at is None or status.observed_generation != run.tenant.metadata.generation:
        return False
    if run.corrected or status.release != run.release:
        return False
    age = run.services.now() - status.proven_at
    young = age < timedelta(seconds=run.services.settings.proof_seconds)
    return young and is_true(status.conditions, ConditionType.READY)


async def ensure(run: Run) -> Outcome:
    if _stands(run):
        return done(Reason.PROVEN)
    pod = workload.answering(run)
    neighbour = policy.neighbour(run.tenant, run.services.cluster.tenants)
    proof = await run.services.data_plane.proof(pod.ip or "", run.known_keys().operator_token, neighbour)
    if not proof.ok:
        broken = ", ".join(proof.failing) or "the workspace"
        message = f"Proof failed: the tenant's credentials do not work, or give access to another tenant: {broken}"
        raise Pending(Reason.PROOF_FAILED, message, retry_after=5)
    if proof.workspace != owner.workspace(run):
        await owner.tell(run)  # it lost them, or never got them
    run.proven_at = run.services.now()
    run.version = proof.version
    return done(Reason.PROVEN)
