"""TenantPools: a change is work for the pool; so is every change of one of its spares (tenants.py)."""

from typing import Any

import kopf
from vivero_core.model.constants import GROUP, VERSION
from vivero_core.model.tenant_pool import TenantPool

from vivero_operator.handlers import Desk
from vivero_operator.reconcile.controller import Key


def observe(desk: Desk, pool: TenantPool) -> None:
    desk.cluster.pools.put(pool)
    wants = pool.metadata.generation, pool.metadata.deletion_timestamp
    if desk.wants.get(pool.metadata.uid) != wants:
        desk.wants[pool.metadata.uid] = wants
        desk.queue.add(Key("TenantPool", pool.name))


def forget(desk: Desk, pool: TenantPool) -> None:
    desk.wants.pop(pool.metadata.uid, None)
    desk.cluster.pools.drop(pool.name, pool.metadata.uid)
    desk.queue.add(Key("TenantPool", pool.name))


def register(registry: kopf.OperatorRegistry, desk: Desk) -> None:
    @kopf.index(GROUP, VERSION, TenantPool.plural, id="pools-listed", registry=registry)
    def listed(body: kopf.Body, **_: Any) -> None:  # noqa: ANN401  kopf passes what it has
        desk.cluster.pools.put(TenantPool.parse(dict(body)))

    @kopf.on.event(GROUP, VERSION, TenantPool.plural, id="pools", registry=registry)
    async def changed(event: kopf.RawEvent, **_: Any) -> None:  # noqa: ANN401  kopf passes what it has
        pool = TenantPool.parse(event["object"])
        (forget if event["type"] == "DELETED" else observe)(desk, pool)
