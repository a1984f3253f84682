"""The tenant's pods: wanted by a Deployment, seen through the watch."""

from vivero_core.model.constants import Reason

from vivero_operator.manifests import deployment
from vivero_operator.policies.outcome import Outcome, done
from vivero_operator.reconcile.run import Run, starting


async def ensure(run: Run) -> Outcome:
    await run.ensure(deployment.build(run.instance))
    return done(Reason.PROVISIONED)


async def ready(run: Run) -> Outcome:
    """Done when a pod answers; a change of any pod brings the tenant back here."""
    pods = run.services.cluster.pods(run.instance.id)
    if run.ready_pod() is None:
        raise starting(pods)
    count = sum(pod.ready for pod in pods)
    return done(Reason.RUNNING, f"{count} of {run.instance.plan.spec.workload.replicas} pods ready")
