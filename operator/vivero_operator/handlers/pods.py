"""Tenants' pods: what a tenant waits for while it starts, and what it loses when a pod dies."""

from typing import Any

import kopf
from vivero_core.model.constants import LABEL_TENANT

from vivero_operator.handlers import Desk
from vivero_operator.reconcile.cluster import Pod
from vivero_operator.reconcile.controller import Key


def _wake(desk: Desk, pod: Pod) -> None:
    tenant = desk.cluster.tenant_of(pod.tenant_id)
    if tenant is not None:
        desk.queue.add(Key("Tenant", tenant.name), urgent=not tenant.is_spare)


def observe(desk: Desk, pod: Pod) -> None:
    if desk.cluster.put_pod(pod):
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
