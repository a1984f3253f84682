"""How a Tenant comes to its data and leaves it: its start slot, our finalizer, adoption, and the record of what is kept.

The finalizer is on before anything is made, and off when all is gone.
"""

from contextlib import suppress

from vivero_core.backends.kube.errors import KubeAlreadyExistsError
from vivero_core.backends.kube.resources import TENANT
from vivero_core.model import naming
from vivero_core.model.constants import API_VERSION, FINALIZER, Reason
from vivero_core.model.tenant import Tenant
from vivero_core.model.tenant_backup import TenantBackup

from vivero_operator.policies import allocation
from vivero_operator.policies.outcome import LOOK_AGAIN_SECONDS, Outcome, Pending, done
from vivero_operator.reconcile import erasures
from vivero_operator.reconcile.operation import has_ended
from vivero_operator.reconcile.run import Run
from vivero_operator.reconcile.steps import route, secrets
from vivero_operator.reconcile.writing import remember


async def take_start_slot(run: Run) -> Outcome:
    """Limits concurrent starts, so that in a burst the first tenants are Ready long before the last one starts.

    A tenant that has been in service, or has pods, needs no slot.
    """
    tenant, cluster = run.tenant, run.services.cluster
    started = tenant.status.proven_at is not None or bool(cluster.pods(run.instance.id))
    if started or run.services.start_limiter.may_start(tenant):
        return done(Reason.PROVISIONING)
    # How many wait says a metric: a figure here would be written into the status of each of them again and again.
    raise Pending(Reason.WAITING_FOR_TURN, "Queued: waiting for other tenants to start")


async def _write_finalizers(run: Run, finalizers: list[str]) -> None:
    meta = run.tenant.metadata
    # Conditional on the version: someone else's finalizer, added meanwhile, must not get lost.
    patch = {"metadata": {"uid": meta.uid, "resourceVersion": meta.resource_version, "finalizers": finalizers}}
    body = await run.kube.patch(TENANT, meta.name, patch)
    remember(Tenant, body, run.services.cluster.tenants)


async def add_finalizer(run: Run) -> Outcome:
    present = run.tenant.metadata.finalizers
    if FINALIZER not in present:
        await _write_finalizers(run, [*present, FINALIZER])
        run.begins = True
    return done(Reason.PROVISIONED)


async def remove_finalizer(run: Run) -> Outcome:
    present = run.tenant.metadata.finalizers
    if FINALIZER in present:
        await _write_finalizers(run, [one for one in present if one != FINALIZER])
    return done(Reason.ERASED)


_LOOK_AGAIN_SECONDS = 60.0


async def take_over(run: Run) -> Outcome:
    """spec.adopt: take over retained or orphaned data, if no other Tenant has it.

    The record of the data is made ours before anything of it is touched.
    """
    erased = run.services.erased.get(run.instance.id)
    if erased is not None:
        message = f"The data of {run.instance.id} was erased at {erased:%Y-%m-%dT%H:%M:%SZ}; its id is not used again"
        raise Pending(Reason.ERASED, message, retry_after=_LOOK_AGAIN_SECONDS)
    if run.tenant.spec.adopt is None:
        return done(Reason.PROVISIONED)
    record = await run.services.escrow.find(run.instance.id)
    if record is None:
        message = f"No retained data found for id {run.instance.id}"
        raise Pending(Reason.NOTHING_TO_ADOPT, message, retry_after=_LOOK_AGAIN_SECONDS)
    refusal = allocation.refused_adoption(run.tenant, run.services.cluster.rivals(run.tenant), record)
    if refusal is not None:
        raise Pending(*refusal, retry_after=_LOOK_AGAIN_SECONDS)
    if record.owner_uid != run.tenant.metadata.uid:
        await run.services.escrow.take_over(record, run.tenant.metadata.uid)
        record = await run.services.escrow.find(run.instance.id) or record
    run.record = record
    return done(Reason.PROVISIONED)


async def record(run: Run) -> Outcome:
    """Data that is kept, for ever or for a while: mark the escrow as its record, completed from the Secrets where it lacks anything.

    Raises:
        Blocked: data would be kept that cannot be read without a key which is nowhere.
        Pending: nothing says where the data is.
    """
    names = f"schema {naming.database_name(run.instance.id)}, bucket {naming.bucket_name(run.instance.id)}"
    escrow = run.services.escrow
    run.record = run.record or await escrow.find(run.instance.id)
    if run.instance.destroys_data:
        return done(Reason.ERASED, names)
    erase_at = run.instance.erase_at
    marked = run.record is not None and run.record.retained and run.record.keys is not None
    if run.record is not None and marked and run.record.erase_at == erase_at:
        return done(Reason.RETAINED, names)  # marked before; by now the namespace may not be readable any more
    live = await secrets.read(run)
    if run.record is None and not live and run.tenant.status.database_server is None:
        return done(Reason.RETAINED, "nothing, because it was never provisioned")
    server = _placed_on(run, live)
    if server is None:
        if run.tenant.spec.adopt is None and run.tenant.status.proven_at is None:
            return done(Reason.RETAINED, "nothing, because it was never in service")
        message = "The DatabaseServer of the schema is unknown: set spec.databaseServer"
        raise Pending(Reason.DATABASE_SERVER_NOT_FOUND, message, retry_after=LOOK_AGAIN_SECONDS)
    keys = await secrets.recovered(run, live, run.record.keys if run.record else None, server)
    when = run.tenant.metadata.deletion_timestamp or run.services.now()
    await escrow.save(run.instance, keys, server, retained_at=when, erase_at=erase_at)
    return done(Reason.RETAINED, names)


async def schedule_erasure(run: Run) -> Outcome:
    """Order the erasure at the end of the undo window; until then `kubectl get verase` lists it."""
    at = run.instance.erase_at
    if at is not None:
        await erasures.schedule(run.services, _erasure_of(run), run.instance.id, at)
    return done(Reason.RETAINED)


def _erasure_of(run: Run) -> str:
    return erasures.name_of(run.instance.id, run.tenant.metadata.uid)


_BACKUP_SECONDS = 2.0


async def back_up(run: Run) -> Outcome:
    """Data that is to be erased is backed up before its users go, where there is a bucket for that.

    A backup that fails holds up no deletion: the data itself is kept for the undo window.
    """
    if run.instance.erase_at is None or not run.services.settings.backup_secret:
        return done(Reason.RETAINED)
    await route.hide(run)
    name = f"final-{_erasure_of(run)}"
    backup = run.services.cluster.of(TenantBackup).get(name)
    if backup is None:
        spec = {"tenant": run.tenant.name}
        manifest = {"apiVersion": API_VERSION, "kind": "TenantBackup", "metadata": {"name": name}, "spec": spec}
        with suppress(KubeAlreadyExistsError):  # its event comes in a moment
            await run.kube.create(manifest)
    elif has_ended(backup.status):
        return done(Reason.RETAINED)
    message = backup.status.message if backup is not None else None
    raise Pending(Reason.DELETING, f"Final backup: {message or 'begins'}", retry_after=_BACKUP_SECONDS)


def _placed_on(run: Run, live: secrets.Live) -> str | None:
    placed = run.tenant.status.database_server or secrets.server_from(live)
    return placed or (run.record.database_server if run.record else None) or run.tenant.spec.database_server


async def erase_record(run: Run) -> Outcome:
    """The data is destroyed: nothing is left to adopt."""
    if run.instance.destroys_data:
        await run.services.escrow.erase(run.instance.id)
    return done(Reason.ERASED)
