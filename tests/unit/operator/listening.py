"""What the tests of watches and rounds have in common: a listener, a tenant that is well, and its objects."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from reconcile.scenes import IDENT, NAMESPACE
from reconcile.world import tenant_body
from vivero_core.backends.kube.resources import Resource
from vivero_core.model.constants import FIELD_MANAGER
from vivero_core.model.tenant import Tenant
from vivero_operator.reconcile.cluster import Cluster

WELL: Final[dict[str, Any]] = {
    "url": "https://acme.example",
    "databaseServer": "main",
    "observedGeneration": 1,
    "conditions": [
        {"type": "Ready", "status": "True", "reason": "Proven", "lastTransitionTime": "2026-11-22T12:00:00Z"},
    ],
}


class Heard:
    """What the listener was told, in order."""

    def __init__(self) -> None:
        self.news: list[tuple[str, str]] = []

    def touched(self, tenant_id: str, kind: Resource) -> None:
        self.news.append((tenant_id, kind.kind))


def settled(cluster: Cluster, **status: object) -> Tenant:
    tenant = Tenant.parse({**tenant_body(), "status": {**WELL, **status}})
    cluster.tenants.put(tenant)
    return tenant


def item(
    kind: str, name: str = "app", *managers: dict[str, Any], namespace: str | None = NAMESPACE, **labels: str
) -> dict[str, Any]:
    """An object of the tenant's as the API server has it, first written by us."""
    own = {"manager": FIELD_MANAGER, "operation": "Apply", "fieldsV1": {"f:spec": {"f:x": {}}}}
    meta = {
        "name": name,
        "namespace": None if kind == "Namespace" else namespace,
        "labels": {"vivero.dev/tenant": IDENT, **labels},
    }
    return {"kind": kind, "apiVersion": "v1", "metadata": {**meta, "managedFields": [own, *managers]}}


@asynccontextmanager
async def running(work: Any) -> AsyncIterator[None]:  # noqa: ANN401  a coroutine
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
