"""Our finalizer: on before anything is made, off when all is gone."""

from vivero_core.backends.kube.resources import TENANT
from vivero_core.model.constants import FINALIZER, Reason
from vivero_core.model.tenant import Tenant

from vivero_operator.policies.outcome import Outcome, done
from vivero_operator.reconcile.run import Run
from vivero_operator.reconcile.writing import remember


async def _write(run: Run, finalizers: list[str]) -> None:
    meta = run.tenant.metadata
    # Conditional on the version: someone else's finalizer, added meanwhile, must not get lost.
    patch = {"metadata": {"uid": meta.uid, "resourceVersion": meta.resource_version, "finalizers": finalizers}}
    body = await run.kube.patch(TENANT, meta.name, patch)
    remember(Tenant, body, run.services.cluster.tenants)


async def add(run: Run) -> Outcome:
    present = run.tenant.metadata.finalizers
    if FINALIZER not in present:
        await _write(run, [*present, FINALIZER])
        run.begins = True
    return done(Reason.PROVISIONED)


async def remove(run: Run) -> Outcome:
    present = run.tenant.metadata.finalizers
    if FINALIZER in present:
        await _write(run, [one for one in present if one != FINALIZER])
    return done(Reason.ERASED)
