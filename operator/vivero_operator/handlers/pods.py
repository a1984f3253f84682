"""Tenants' pods: what a tenant waits for while it starts, and what it loses when a pod dies."""

from typing import Any

import kopf
from vivero_core.model.constants import LABEL_TENANT

from vivero_operator.handlers import Desk
from vivero_operator.policies import life
from vivero_operator.reconcile.cluster import Pod
from vivero_operator.reconcile.controller import Key


def _wake(desk: Desk, pod: Pod) -> None:
    tenant = desk.cluster.tenant_of(pod.tenant_id)
    if tenant is not None:
        desk.queue.add(Key("Tenant", tenant.name), urgent=not tenant.is_spare)


def observe(desk: Desk, pod: Pod) -> None:
    before = desk.cluster.put_pod(pod)
    # After a start all pods come by; one that serves a tenant that is well is no news.
    tenant = desk.cluster.tenant_of(pod.tenant_id)
    expected = before is None and pod.ready and tenant is not None and life.settled(tenant)
    if before != pod and not expected:
        _wake(desk, pod)


def forget(desk: Desk, pod: Pod) -> None:
    desk.cluster.drop_pod(pod)
    _wake(desk, pod)


def register(registry: kopf.OperatorRegistry, settings: kopf.OperatorSettings, desk: Desk) -> None:
    settings.watching.label_selectors["", "v1", "pods"] = LABEL_TENANT

    @kopf.on.event("", "v1", "pods", id="pods", labels={LABEL_TENANT: kopf.PRESENT}, registry=registry)
    async def changed(event: kopf.RawEvent, **_: Any) -> None:  # noqa: ANN401  kopf passes what it has
        pod = Pod.parse(dict(event["object"]))
        (forget if event["type"] == "DELETED" else observe)(desk, pod)
