"""The way in: Service and Ingress; while suspended, the tenant's own hosts lead to the control plane's page."""

from vivero_core.backends.kube.resources import INGRESS
from vivero_core.model.constants import LABEL_TENANT, Reason

from vivero_operator.instance import APP
from vivero_operator.manifests import ingress, service
from vivero_operator.policies import claims
from vivero_operator.policies.outcome import Outcome, Pending, done
from vivero_operator.reconcile.run import Run


async def ensure(run: Run) -> Outcome:
    refusal = claims.refused_host(
        run.tenant, run.services.cluster.rivals(run.tenant), run.instance.settings.base_domain
    )
    if refusal is not None:
        raise Pending(*refusal)
    if run.instance.suspended:
        await _close(run)
        return done(Reason.PROVISIONED)
    await run.ensure_all(service.build(run.instance), ingress.build(run.instance))
    if not run.fresh:
        await _remove_stand_in(run)
    return done(Reason.ROUTED, f"{len(run.instance.hosts)} hosts" if run.tenant.spec.hosts else run.instance.hosts[0])


async def open_claimed(run: Run) -> Outcome:
    """A spare has its Service and no route: nothing needs to be read before the first is written."""
    await run.kube.apply(ingress.build(run.instance))
    return done(Reason.ROUTED, run.instance.hosts[0])


async def _close(run: Run) -> None:
    if run.tenant.spec.hosts:
        await run.ensure(ingress.build_suspended(run.instance))
    else:
        await _remove_stand_in(run)
    await run.remove(INGRESS, APP, run.instance.namespace, belongs={LABEL_TENANT: run.instance.id})


async def _remove_stand_in(run: Run) -> None:
    name, namespace = ingress.suspended_name(run.instance.id), run.instance.settings.platform_namespace
    await run.remove(INGRESS, name, namespace, belongs={LABEL_TENANT: run.instance.id})


async def prepare(run: Run) -> Outcome:
    """A spare's Service: endpoints are known by the time a claim adds the route."""
    await run.ensure(service.build(run.instance))
    return done(Reason.PROVISIONED)


async def remove(run: Run) -> Outcome:
    """What lies outside the tenant's namespace; the rest goes with that."""
    await _remove_stand_in(run)
    return done(Reason.ERASED)
