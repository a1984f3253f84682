"""The tenant's namespace; never one that belongs to somebody else."""

from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import NAMESPACE
from vivero_core.model.constants import ANNOTATION_TENANT_UID, Reason

from vivero_operator.manifests import namespace
from vivero_operator.manifests.common import Manifest
from vivero_operator.policies import drift
from vivero_operator.policies.outcome import Outcome, Pending, done
from vivero_operator.reconcile.run import Run


def _is_ours(run: Run, live: Manifest) -> bool:
    uid: str | None = live["metadata"].get("annotations", {}).get(ANNOTATION_TENANT_UID)
    return uid == run.tenant.metadata.uid


def _is_going(live: Manifest) -> bool:
    return "deletionTimestamp" in live["metadata"]


async def ensure(run: Run) -> Outcome:
    name = run.instance.namespace
    live = await run.find(NAMESPACE, name)
    if live is not None and _is_going(live):
        raise Pending(Reason.PROVISIONING, f"Waiting for the old namespace {name} to be gone", retry_after=1)
    if live is not None and not _is_ours(run, live):
        message = f"Namespace {name} exists and does not belong to this Tenant"
        raise Pending(Reason.NAMESPACE_CONFLICT, message, retry_after=60)
    wanted = namespace.build(run.instance)
    if drift.differs(wanted, live):
        await run.kube.apply(wanted)
    run.fresh = live is None
    return done(Reason.PROVISIONED)


async def remove(run: Run) -> Outcome:
    """Delete it with all it holds, and wait until it is gone; one that is not ours stays."""
    name = run.instance.namespace
    live = await run.find(NAMESPACE, name)
    if live is None or not _is_ours(run, live):
        return done(Reason.ERASED)
    if not _is_going(live):
        try:
            await run.kube.delete(NAMESPACE, name, uid=live["metadata"]["uid"])
        except KubeNotFoundError:
            return done(Reason.ERASED)
    raise Pending(Reason.DELETING, f"waiting for namespace {name} to be gone", retry_after=1)
