"""The tenant's pods: wanted by a Deployment, seen through the watch.

A tenant serves when a pod of the wanted revision is ready and none of another
revision is left; what stands in the way is said in the pod's own words.
"""

import contextlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import DEPLOYMENT, POD
from vivero_core.model.constants import ANNOTATION_ASKED, ANNOTATION_RESTART, Reason

from vivero_operator.instance import APP
from vivero_operator.manifests import pod_template
from vivero_operator.policies.outcome import Outcome, Pending, done
from vivero_operator.policies.pool import is_single_refill
from vivero_operator.reconcile.pods import Pod, Trouble, trouble
from vivero_operator.reconcile.run import Run
from vivero_operator.reconcile.steps import secrets

_LOOK_AGAIN_SECONDS: Final = 10.0
"""A pod that cannot be made has no object that would announce it."""
_LATE: Final = timedelta(seconds=60)
"""A pod that is not ready for so long is in trouble, though nothing but its own status may say what it is."""
_SOON: Final = timedelta(seconds=5)
"""So long after its first pass a tenant without pods has not met a quota: its pods are on their way."""


@dataclass(frozen=True)
class Standing:
    """A tenant's pods without the terminating ones."""

    current: tuple[Pod, ...]
    """Of the wanted revision."""
    outdated: tuple[Pod, ...]

    @property
    def ready(self) -> tuple[Pod, ...]:
        return tuple(pod for pod in self.current if pod.ready)

    def trouble(self, now: datetime) -> Trouble | None:
        """What keeps a pod from being ready: it says so, or has not been ready for so long that its own words count."""
        unready = [pod for pod in self.current if not pod.ready]
        said = (pod.trouble for pod in unready)
        late = (pod.unready for pod in unready if pod.unready_since and now - pod.unready_since > _LATE)
        return next(filter(None, (*said, *late)), None)


def _template(run: Run) -> pod_template.Template | None:
    """What the pods are to be made from; None to leave those that no known release made."""
    run.release = run.services.rollout.release_for(run.tenant)
    release = run.services.rollout.template(run.release)
    if release is None:
        return None
    return pod_template.of(run.instance, release, run.known_address().credentials(run.known_keys()))


def _standing(run: Run) -> Standing:
    template = _template(run)
    pods = run.services.cluster.pods(run.instance.id)
    if template is None:
        return Standing(tuple(pods), ())
    wanted = pod_template.revision(template)
    return Standing(
        tuple(pod for pod in pods if pod.revision == wanted), tuple(pod for pod in pods if pod.revision != wanted)
    )


def inputs(run: Run) -> object:
    """What the pods are made from besides the Tenant and its plan."""
    return [
        secrets.used(run),
        run.services.rollout.release_for(run.tenant),
        run.tenant.metadata.annotations.get(ANNOTATION_RESTART),
        run.tenant.accepts_data_loss,
        _closed_by(run),
    ]


def _closed_by(run: Run) -> str | None:
    """The TenantRestore for which it is out of service."""
    restore = run.services.cluster.closed_by(run.tenant)
    return restore.name if restore is not None else None


async def ensure(run: Run) -> Outcome:
    template = _template(run)
    if template is not None:
        await run.ensure(pod_template.deployment(run.instance, template, closed=_closed_by(run) is not None))
    return done(Reason.PROVISIONED)


async def ready(run: Run) -> Outcome:
    """Done when the wanted revision serves; a change of any pod brings the tenant back here."""
    if (restore := _closed_by(run)) is not None:
        message = f"Closed while TenantRestore {restore} switches its data"
        raise Pending(Reason.RESTORING, message, retry_after=_LOOK_AGAIN_SECONDS)
    standing, replicas = _standing(run), run.instance.plan.spec.workload.replicas
    run.updated = len(standing.ready)
    if standing.ready and not standing.outdated:
        return await _served(run, standing)
    for pod in standing.current:
        if pod.running and not pod.ready and not pod.asked and _is_awaited(run):
            await _ask(run, pod)
    found = await _trouble(run, standing)
    if found is not None:
        raise Pending(found.reason, f"The pod cannot start: {found}", retry_after=_LOOK_AGAIN_SECONDS)
    if standing.outdated:
        message = f"{run.updated} of {replicas} pods run the desired revision"
        raise Pending(Reason.ROLLING_OUT, message, retry_after=_LOOK_AGAIN_SECONDS)
    raise Pending(Reason.STARTING, "Waiting for the pod to become ready", retry_after=_LOOK_AGAIN_SECONDS)


async def _served(run: Run, standing: Standing) -> Outcome:
    """By as many pods as the plan says, or by fewer: then what is wrong with the others."""
    # What is left to do for this one takes no node's time: the next need not wait for it.
    run.services.start_limiter.answered(run.tenant.metadata.uid)
    ready, replicas = len(standing.ready), run.instance.plan.spec.workload.replicas
    message = f"{ready} of {replicas} pods ready"
    if ready >= replicas:
        return done(Reason.RUNNING, message)
    found = await _trouble(run, standing)
    if found is None:
        return done(Reason.PODS_MISSING, message, retry_after=_LOOK_AGAIN_SECONDS)
    return done(found.reason, f"{message}. {found}", retry_after=_LOOK_AGAIN_SECONDS)


async def _trouble(run: Run, standing: Standing) -> Trouble | None:
    said = standing.trouble(run.services.now())
    complete = len(standing.current) >= run.instance.plan.spec.workload.replicas
    return said or (None if complete else await _refusal(run))


async def _refusal(run: Run) -> Trouble | None:
    """Why no pod is made, for example a quota: then the Deployment says so, for there is no pod to say it."""
    if run.fresh or run.begun < _SOON:
        return None
    live = await run.find(DEPLOYMENT, APP, run.instance.namespace)
    conditions = (live or {}).get("status", {}).get("conditions", ())
    failure = next((one for one in conditions if one["type"] == "ReplicaFailure" and one["status"] == "True"), None)
    return trouble(failure.get("reason"), failure.get("message")) if failure else None


def answering(run: Run) -> Pod:
    """A ready pod of the wanted revision with an address.

    Raises:
        Pending: there is none at the moment.
    """
    pod = next((pod for pod in _standing(run).ready if pod.ip), None)
    if pod is None:
        raise Pending(Reason.STARTING, "Waiting for the pod to become ready", retry_after=_LOOK_AGAIN_SECONDS)
    return pod


def _is_awaited(run: Run) -> bool:
    """A spare that alone fills its pool up again may be found by kubelet in its own time."""
    if not run.tenant.is_spare:
        return True
    cluster = run.services.cluster
    pool = cluster.pools.get(run.tenant.spec.pool or "")
    return pool is not None and not is_single_refill(run.tenant, pool.spec.size, cluster.spares(pool.name))


async def _ask(run: Run, pod: Pod) -> None:
    """Kubelet's own first question comes at a full second or five later; a changed annotation brings it now (ADR 0010)."""
    with contextlib.suppress(KubeNotFoundError):  # it went while we looked
        await run.kube.patch(POD, pod.name, {"metadata": {"annotations": {ANNOTATION_ASKED: "true"}}}, pod.namespace)
