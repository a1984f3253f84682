"""Queues the start of a tenant: of many at once the first is Ready long before the last has begun."""

from vivero_core.model.constants import Reason

from vivero_operator.policies.outcome import Outcome, Pending, done
from vivero_operator.reconcile.run import Run


async def take(run: Run) -> Outcome:
    """A tenant that has been in service, or has pods, needs no turn."""
    tenant, cluster = run.tenant, run.services.cluster
    started = tenant.status.proven_at is not None or bool(cluster.pods(run.instance.id))
    if started or run.services.starts.may_start(tenant):
        return done(Reason.PROVISIONING)
    # How many wait says a metric: a figure here would be written into the status of each of them again and again.
    raise Pending(Reason.WAITING_FOR_TURN, "Queued: waiting for other tenants to start")
