"""deletionPolicy Retain: record what a later Tenant needs to adopt the data, before anything is deleted."""

from vivero_core.model import naming
from vivero_core.model.constants import Reason

from vivero_operator.policies.outcome import LOOK_AGAIN_SECONDS, Outcome, Pending, done
from vivero_operator.reconcile.run import Run
from vivero_operator.reconcile.steps import secrets


async def record(run: Run) -> Outcome:
    """Mark the escrow as the record of retained data, completed from the Secrets where it lacks anything.

    Raises:
        Blocked: data would be kept that cannot be read without a key which is nowhere.
        Pending: nothing says where the data is.
    """
    names = f"schema {naming.database_name(run.instance.id)}, bucket {naming.bucket_name(run.instance.id)}"
    vault = run.services.vault
    run.record = run.record or await vault.find(run.instance.id)
    if run.tenant.goes_with_its_data:
        return done(Reason.ERASED, names)
    if run.record is not None and run.record.retained and run.record.keys is not None:
        return done(Reason.RETAINED, names)  # marked before; by now the namespace may not be readable any more
    live = await secrets.read(run)
    if run.record is None and not live and run.tenant.status.database_server is None:
        return done(Reason.RETAINED, "nothing, because it was never provisioned")
    server = _server(run, live)
    if server is None:
        if run.tenant.spec.adopt is None and run.tenant.status.proven_at is None:
            return done(Reason.RETAINED, "nothing, because it was never in service")
        message = "The DatabaseServer of the schema is unknown: set spec.databaseServer"
        raise Pending(Reason.DATABASE_SERVER_NOT_FOUND, message, retry_after=LOOK_AGAIN_SECONDS)
    keys = await secrets.recovered(run, live, run.record.keys if run.record else None, server)
    when = run.tenant.metadata.deletion_timestamp or run.services.now()
    await vault.keep(run.instance, keys, server, retained_at=when)
    return done(Reason.RETAINED, names)


def _server(run: Run, live: secrets.Live) -> str | None:
    placed = run.tenant.status.database_server or secrets.server_from(live)
    return placed or (run.record.database_server if run.record else None) or run.tenant.spec.database_server


async def erase_record(run: Run) -> Outcome:
    """The data is destroyed: nothing is left to adopt."""
    if run.tenant.goes_with_its_data:
        await run.services.vault.erase(run.instance.id)
    return done(Reason.ERASED)
