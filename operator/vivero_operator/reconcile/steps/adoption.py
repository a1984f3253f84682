"""spec.adopt: take over retained or orphaned data, if no other Tenant has it."""

from vivero_core.model.constants import Reason

from vivero_operator.policies import ownership
from vivero_operator.policies.outcome import Outcome, Pending, done
from vivero_operator.reconcile.run import Run

_LOOK_AGAIN_SECONDS = 60.0


async def take_over(run: Run) -> Outcome:
    """Make the record of the data ours before anything of it is touched."""
    if run.tenant.spec.adopt is None:
        return done(Reason.PROVISIONED)
    record = await run.services.vault.find(run.instance.id)
    if record is None:
        message = f"No retained data found for id {run.instance.id}"
        raise Pending(Reason.NOTHING_TO_ADOPT, message, retry_after=_LOOK_AGAIN_SECONDS)
    refusal = ownership.refused_adoption(run.tenant, run.services.cluster.rivals(run.tenant), record)
    if refusal is not None:
        raise Pending(*refusal, retry_after=_LOOK_AGAIN_SECONDS)
    if record.owner_uid != run.tenant.metadata.uid:
        await run.services.vault.take_over(record, run.tenant.metadata.uid)
        record = await run.services.vault.find(run.instance.id) or record
    run.record = record
    return done(Reason.PROVISIONED)
