"""The tenant's namespace and our rights in it; never one that belongs to someone else."""

import asyncio
import contextlib
from typing import Final

from vivero_core.backends.kube.errors import KubeAlreadyExistsError, KubeForbiddenError, KubeNotFoundError
from vivero_core.backends.kube.resources import DEPLOYMENT, NAMESPACE, ROLE_BINDING, SERVICE_ACCOUNT, TENANT
from vivero_core.model.constants import ANNOTATION_TENANT_UID, Reason

from vivero_operator.instance import APP, Manifest
from vivero_operator.manifests import namespace
from vivero_operator.policies import drift
from vivero_operator.policies.outcome import Outcome, Pending, done
from vivero_operator.reconcile.run import Run

_RIGHTS_PAUSES: Final = (0.005, 0.01, 0.02, 0.04)
_LOOK_AGAIN_SECONDS: Final = 30.0
"""Events requeue it when namespace and Deployment are deleted; this is for missed ones, and a thousand may wait."""


def _is_ours(run: Run, live: Manifest) -> bool:
    """Marked as this Tenant's, or left by one whose data this Tenant has taken over."""
    uid: str | None = live["metadata"].get("annotations", {}).get(ANNOTATION_TENANT_UID)
    mine = run.tenant.metadata.uid
    adopted = run.record is not None and run.record.owner_uid == mine and uid is not None
    return uid == mine or adopted


def _is_going(live: Manifest) -> bool:
    return "deletionTimestamp" in live["metadata"]


async def ensure(run: Run) -> Outcome:
    name = run.instance.namespace
    live = await run.find(NAMESPACE, name)
    if live is not None and _is_going(live):
        raise Pending(Reason.PROVISIONING, f"Waiting for the old namespace {name} to be deleted", retry_after=1)
    if live is not None and not _is_ours(run, live):
        message = f"Namespace {name} exists and does not belong to this Tenant"
        raise Pending(Reason.NAMESPACE_CONFLICT, message, retry_after=60)
    if live is None and not run.begins:
        await _still_lives(run)
    wanted, rights = namespace.build(run.instance), namespace.rights(run.instance)
    if live is None:
        # Created, not applied: until the rights are there, no object in the namespace can be patched, itself included.
        # While the one that was deleted is going, the status says so, and not that all is well.
        await run.create(wanted, was_there=run.established and run.tenant.spec.adopt is None)
        with contextlib.suppress(KubeAlreadyExistsError):
            await run.create(rights)
        await _rights_count(run)
    else:
        await _grant(run, rights)
        if drift.differs(wanted, live):
            await run.write(wanted, live)
    run.fresh = live is None
    return done(Reason.PROVISIONED)


async def _rights_count(run: Run) -> None:
    """RBAC is eventually consistent: new rights take effect after some milliseconds, and another pass would take longer."""
    for pause in _RIGHTS_PAUSES:
        try:
            await run.find(SERVICE_ACCOUNT, APP, run.instance.namespace)
        except KubeForbiddenError:
            await asyncio.sleep(pause)
        else:
            return


async def _grant(run: Run, rights: Manifest) -> None:
    live = await run.find(ROLE_BINDING, namespace.RIGHTS, run.instance.namespace)
    if live is None:
        await run.create(rights)
    elif drift.differs(rights, live):
        try:
            await run.write(rights, live)
        except KubeForbiddenError:
            await _regain_to_write(run, rights, live)


async def _regain_to_write(run: Run, rights: Manifest, live: Manifest) -> None:
    """Our RoleBinding has another role or other subjects: it is corrected with the rights of a second one."""
    with contextlib.suppress(KubeAlreadyExistsError):
        await run.kube.create(namespace.rights(run.instance, namespace.REGAINED))
    await _rights_count(run)
    await run.write(rights, live)
    second = await run.find(ROLE_BINDING, namespace.REGAINED, run.instance.namespace)
    if second is not None:
        await run.delete(ROLE_BINDING, second)


async def _still_lives(run: Run) -> None:
    """Check before creating anything: a Tenant from a stale list may be deleted, and nothing would clean up after it."""
    meta = run.tenant.metadata
    current = await run.find(TENANT, meta.name)
    if current is None or current["metadata"]["uid"] != meta.uid:
        raise Pending(Reason.PROVISIONING, "The Tenant no longer exists", retry_after=1)


async def regain(run: Run) -> Outcome:
    """What is deleted has to be read first: the rights for that are put back where they were taken away."""
    live = await run.find(NAMESPACE, run.instance.namespace)
    if live is not None and _is_ours(run, live) and not _is_going(live):
        await _grant(run, namespace.rights(run.instance))
    return done(Reason.PROVISIONED)


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
    raise Pending(Reason.DELETING, f"waiting for namespace {name} to be deleted", retry_after=_LOOK_AGAIN_SECONDS)


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
    raise Pending(Reason.DELETING, "waiting for the pods to terminate", retry_after=_LOOK_AGAIN_SECONDS)
