"""Tell running pods about changed limits: a touched annotation makes kubelet refresh the mounted file at once."""

from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import POD
from vivero_core.model.constants import ANNOTATION_LIMITS, Reason

from vivero_operator.manifests import secrets
from vivero_operator.policies.outcome import Outcome, done
from vivero_operator.reconcile.pods import Pod
from vivero_operator.reconcile.run import Run


async def _touch(run: Run, pod: Pod, digest: str) -> None:
    patch = {"metadata": {"annotations": {ANNOTATION_LIMITS: digest}}}
    try:
        await run.kube.patch(POD, pod.name, patch, pod.namespace)
    except KubeNotFoundError:
        return  # it went meanwhile; its successor starts with the new limits


async def announce(run: Run) -> Outcome:
    if run.limits_changed:
        digest = secrets.limits_digest(run.instance)
        for pod in run.services.cluster.pods(run.instance.id):
            if pod.limits != digest:
                await _touch(run, pod, digest)
    return done(Reason.PROVISIONED)
