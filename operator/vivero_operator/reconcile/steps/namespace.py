"""The tenant's namespace; never one that belongs to somebody else."""

import contextlib
from typing import Final

from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import DEPLOYMENT, NAMESPACE, TENANT
from vivero_core.model.constants import ANNOTATION_TENANT_UID, Reason

from vivero_operator.instance import APP
from vivero_operator.manifests import namespace
from vivero_operator.manifests.common import Manifest
from vivero_operator.policies import drift
from vivero_operator.policies.outcome import Outcome, Pending, done
from vivero_operator.reconcile.run import Run

_LOOK_AGAIN_SECONDS: Final = 30.0
"""Watches tell when namespace and Deployment are gone; this is for what they may miss, and a thousand may wait."""


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
    if live is None and not run.alive:
        await _still_lives(run)
    wanted = namespace.build(run.instance)
    if drift.differs(wanted, live):
        await run.write(wanted, live)
    run.fresh = live is None
    return done(Reason.PROVISIONED)


async def _still_lives(run: Run) -> None:
    """Before the first thing is made: a Tenant known from an old list may be gone, and nobody would clean up after it."""
    meta = run.tenant.metadata
    current = await run.find(TENANT, meta.name)
    if current is None or current["metadata"]["uid"] != meta.uid:
        raise Pending(Reason.PROVISIONING, "The Tenant is gone", retry_after=1)


async def remove(run: Run) -> Outcome:
    """Delete it with all it holds, and wait until it is gone; one that is not ours stays."""
    name = run.instance.namespace
    live = await run.find(NAMESPACE, name)
    if live is None or not _is_ours(run, live):
        return done(Reason.ERASED)
    if not _is_going(live):
        await _end_pods(run)
        try:
            await run.kube.delete(NAMESPACE, name, uid=live["metadata"]["uid"])
        except KubeNotFoundError:
            return done(Reason.ERASED)
    raise Pending(Reason.DELETING, f"waiting for namespace {name} to be gone", retry_after=_LOOK_AGAIN_SECONDS)


async def _end_pods(run: Run) -> None:
    """Kubernetes looks at a namespace that still holds a pod again after half the pod's grace period: 16 s for nothing."""
    live = await run.find(DEPLOYMENT, APP, run.instance.namespace)
    if live is None:
        return
    if not _is_going(live):
        # Foreground: it is there until its last pod is gone.
        with contextlib.suppress(KubeNotFoundError):
            uid = live["metadata"]["uid"]
            await run.kube.delete(DEPLOYMENT, APP, run.instance.namespace, uid=uid, propagation="Foreground")
    raise Pending(Reason.DELETING, "waiting for the pods to end", retry_after=_LOOK_AGAIN_SECONDS)
