"""The tenant's pods: wanted by a Deployment, seen through the watch."""

import contextlib

from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import POD
from vivero_core.model.constants import ANNOTATION_ASKED, Reason

from vivero_operator.manifests import deployment
from vivero_operator.policies.outcome import Outcome, done
from vivero_operator.policies.pool import is_single_refill
from vivero_operator.reconcile.cluster import Pod
from vivero_operator.reconcile.run import Run, starting


async def ensure(run: Run) -> Outcome:
    await run.ensure(deployment.build(run.instance))
    return done(Reason.PROVISIONED)


async def ready(run: Run) -> Outcome:
    """Done when a pod answers; a change of any pod brings the tenant back here."""
    pods = run.services.cluster.pods(run.instance.id)
    if run.ready_pod() is None:
        for pod in pods:
            if pod.running and not pod.asked and _is_awaited(run):
                await _ask(run, pod)
        raise starting(pods)
    count = sum(pod.ready for pod in pods)
    return done(Reason.RUNNING, f"{count} of {run.instance.plan.spec.workload.replicas} pods ready")


def _is_awaited(run: Run) -> bool:
    """A spare that alone fills its pool up again may be found by kubelet in its own time."""
    if not run.tenant.is_spare:
        return True
    cluster = run.services.cluster
    pool = cluster.pools.get(run.tenant.spec.pool or "")
    return pool is not None and not is_single_refill(run.tenant, pool.spec.size, cluster.spares(pool.name))


async def _ask(run: Run, pod: Pod) -> None:
    """Kubelet's own first question comes at a full second or five later; a changed annotation brings it now (ADR 0010)."""
    with contextlib.suppress(KubeNotFoundError):  # it went meanwhile
        await run.kube.patch(POD, pod.name, {"metadata": {"annotations": {ANNOTATION_ASKED: "true"}}}, pod.namespace)
