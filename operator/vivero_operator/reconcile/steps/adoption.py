"""spec.adopt: take over the data of a deleted tenant, if it was retained and nobody else has it."""

from vivero_core.backends.kube.resources import SECRET
from vivero_core.model.constants import ANNOTATION_ADOPTED_BY, Reason

from vivero_operator.manifests import retained
from vivero_operator.policies import claims
from vivero_operator.policies.outcome import Outcome, Pending, done
from vivero_operator.reconcile.run import Run


async def claim(run: Run) -> Outcome:
    """Mark the retained record as ours before anything of it is touched."""
    if run.tenant.spec.adopt is None:
        return done(Reason.PROVISIONED)
    secret = await run.find(SECRET, retained.name(run.instance.id), run.instance.settings.platform_namespace)
    if secret is None:
        message = f"Nothing is retained under the id {run.instance.id}"
        raise Pending(Reason.NOTHING_TO_ADOPT, message, retry_after=60)
    record = retained.parse(secret)
    refusal = claims.refused_adoption(run.tenant, run.services.cluster.rivals(run.tenant), record.adopted_by)
    if refusal is not None:
        raise Pending(*refusal, retry_after=60)
    if record.adopted_by is None:
        await _annotate(run, secret["metadata"]["resourceVersion"], run.tenant.metadata.uid)
    run.record = record
    return done(Reason.PROVISIONED)


async def release(run: Run) -> Outcome:
    """The last thing of a deletion that keeps the data: the next Tenant may adopt it."""
    if run.record is not None and run.record.adopted_by == run.tenant.metadata.uid:
        secret = await run.find(SECRET, retained.name(run.instance.id), run.instance.settings.platform_namespace)
        if secret is not None:
            await _annotate(run, secret["metadata"]["resourceVersion"], None)
    return done(Reason.RETAINED)


async def _annotate(run: Run, version: str, uid: str | None) -> None:
    patch = {"metadata": {"resourceVersion": version, "annotations": {ANNOTATION_ADOPTED_BY: uid}}}
    await run.kube.patch(SECRET, retained.name(run.instance.id), patch, run.instance.settings.platform_namespace)
