"""The route: Service, and Ingresses or an HTTPRoute; while suspended, custom domains lead to the control plane's page."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Final

from vivero_core.backends.kube.errors import KubeForbiddenError
from vivero_core.backends.kube.resources import HTTP_ROUTE
from vivero_core.errors import BackendUnavailableError
from vivero_core.model.constants import LABEL_TENANT, Reason

from vivero_operator.instance import APP, Manifest
from vivero_operator.manifests import http_route, ingress
from vivero_operator.policies import drift, life
from vivero_operator.policies import hosts as policy
from vivero_operator.policies.outcome import Outcome, Pending, done
from vivero_operator.reconcile import routes
from vivero_operator.reconcile.run import Run

_SOON: Final = timedelta(seconds=5)
"""So long after a tenant's first pass its Gateway may not have seen the route yet."""
_SOON_AGAIN_SECONDS: Final = 0.2
_AGAIN_SECONDS: Final = 10.0
"""What a controller writes into a status is watched by nobody."""


async def ensure(run: Run) -> Outcome:
    if run.instance.suspended:
        await _close(run)
        return done(Reason.PROVISIONED)
    async with asyncio.TaskGroup() as group:
        group.create_task(run.ensure(ingress.service(run.instance)))
        live = group.create_task(_ensure_workspace(run))
    await _await_gateway(run, live.result())
    for issued in _kinds(run):
        own = _of_kind(run, issued=issued)
        if own:
            await run.ensure(ingress.build_hosts(run.instance, own, issued=issued), optional=True)
        elif not run.fresh and _had_hosts(run):
            await _remove(run, ingress.hosts_name(issued=issued))
    if not run.fresh:
        await _remove_suspended_ingresses(run, _kinds(run))
    more = f" and {len(routed(run))} of {len(run.tenant.spec.hosts)} custom hosts" if run.tenant.spec.hosts else ""
    return done(Reason.ROUTED, f"{run.instance.hosts[0]}{more}")


async def _ensure_workspace(run: Run) -> Manifest | None:
    """The live route if it was as wanted; None if it has been written."""
    kind, live = _routes(run), None
    if not run.fresh:
        live = await run.find(kind.resource, APP, run.instance.namespace)
    takes_over = live is None and life.settled(run.tenant) and await _has_replaced(run)
    wanted = kind.build(run.instance)
    await run.make_like(live, wanted, optional=takes_over)
    return None if drift.differs(wanted, live) else live


async def _await_gateway(run: Run, live: Manifest | None) -> None:
    """Until its controller serves the route, or as long as one of the other kind is still there, which does.

    Of an Ingress no field says it. `live`: the route, if it need not be read again.
    """
    gateway = run.services.settings.gateway
    if gateway is None:
        return
    live = live or await run.find(HTTP_ROUTE, APP, run.instance.namespace)
    if (live is not None and http_route.is_accepted(live)) or await _has_replaced(run):
        return
    said = (http_route.refusal(live) if live is not None else None) or "it has not answered yet"
    message = (
        f"Gateway {gateway.namespace}/{gateway.name}, listener {gateway.listener}, does not serve the route: {said}"
    )
    soon = run.begun < _SOON
    raise Pending(Reason.ROUTE_NOT_ACCEPTED, message, retry_after=_SOON_AGAIN_SECONDS if soon else _AGAIN_SECONDS)


async def _has_replaced(run: Run) -> bool:
    """Whether a route of the other kind is there: then nobody removed one of this kind, the settings were changed."""
    try:
        return await run.find(_routes(run).replaced, APP, run.instance.namespace) is not None
    except (BackendUnavailableError, KubeForbiddenError):
        # The usual case: the cluster does not know HTTPRoutes. What is missing is put back all the same.
        return False


async def open_claimed(run: Run) -> Outcome:
    """A spare has its Service and no route: nothing needs to be read before the first is written."""
    await run.kube.apply(_routes(run).build(run.instance))
    return done(Reason.ROUTED, run.instance.hosts[0])


def _routes(run: Run) -> routes.Routes:
    return routes.of(run.services.settings)


def routed(run: Run) -> list[str]:
    """The custom domains that are routed."""
    return [*_of_kind(run, issued=False), *_of_kind(run, issued=True)]


def _of_kind(run: Run, *, issued: bool) -> list[str]:
    kind = [one for one in run.hosts or () if (run.instance.issuer(one.host) is not None) == issued]
    return [one.host for one in kind if policy.is_routed(one, issued=issued)]


def _kinds(run: Run) -> tuple[bool, ...]:
    """Whether hosts are issued ones, for each kind that may be there."""
    kinds = _all_kinds(run)
    return kinds if run.instance.settings.host_issuer or _had_hosts(run) else kinds[:1]


def _all_kinds(run: Run) -> tuple[bool, ...]:
    return (False, True) if _routes(run).takes_own_hosts else ()


def _had_hosts(run: Run) -> bool:
    """Whether hosts are or were requested; otherwise nothing needs to be read at every reconcile."""
    return bool(run.tenant.spec.hosts or run.tenant.status.hosts)


async def _close(run: Run) -> None:
    for issued in _kinds(run):
        own = _of_kind(run, issued=issued)
        if own:
            await run.ensure(ingress.build_suspended(run.instance, own, issued=issued), optional=True)
        else:
            await _remove_suspended_ingress(run, issued=issued)
    await _remove(run, APP)
    if _had_hosts(run):
        for issued in _kinds(run):
            await _remove(run, ingress.hosts_name(issued=issued))


async def _remove(run: Run, name: str) -> None:
    await run.remove(_routes(run).resource, name, run.instance.namespace, belongs={LABEL_TENANT: run.instance.id})


async def _remove_suspended_ingresses(run: Run, kinds: Iterable[bool]) -> None:
    for issued in kinds:
        await _remove_suspended_ingress(run, issued=issued)


async def _remove_suspended_ingress(run: Run, *, issued: bool) -> None:
    name = ingress.suspended_name(run.instance.id, issued=issued)
    namespace = run.instance.settings.platform_namespace
    await run.remove(_routes(run).resource, name, namespace, belongs={LABEL_TENANT: run.instance.id})


async def prepare(run: Run) -> Outcome:
    """A spare's Service: endpoints are known by the time a claim adds the route."""
    await run.ensure(ingress.service(run.instance))
    return done(Reason.PROVISIONED)


async def remove(run: Run) -> Outcome:
    """Remove objects outside the tenant's namespace; the others are deleted with it."""
    await _remove_suspended_ingresses(run, _all_kinds(run))
    return done(Reason.ERASED)


async def hide(run: Run) -> None:
    """Nobody gets in any more, while the workspace is still there to be backed up."""
    with suppress(KubeForbiddenError):  # the namespace is terminating, and its routes with it
        await _remove(run, APP)
        for issued in _kinds(run):
            await _remove(run, ingress.hosts_name(issued=issued))


async def remove_waiting_page(run: Run) -> Outcome:
    """Remove the waiting page before a workspace is Ready: its address then routes to its own pods only.

    Mostly a no-op without a request: the pod's event was faster, or no page was ever shown.
    """
    await run.services.waiting_pages.settle(run.instance.id)
    return done(Reason.ROUTED)
