"""TenantPools: a change is work for the pool; so is every change of one of its spares (tenants.py)."""

from typing import Final

from vivero_core.model.base import Metadata
from vivero_core.model.tenant_pool import TenantPool

from vivero_operator.handlers import Desk
from vivero_operator.handlers.hearing import Watched
from vivero_operator.policies.pause import paused
from vivero_operator.reconcile.controller import Key


def observe(desk: Desk, pool: TenantPool) -> None:
    desk.cluster.pools.put(pool)
    wants = pool.metadata.generation, pool.metadata.deletion_timestamp, paused(pool.metadata)
    if desk.wants.get(pool.metadata.uid) != wants:
        desk.wants[pool.metadata.uid] = wants
        desk.queue.add(Key("TenantPool", pool.name))
        desk.count_again()


def forget(desk: Desk, metadata: Metadata) -> None:
    desk.wants.pop(metadata.uid, None)
    desk.cluster.pools.drop(metadata.name, metadata.uid)
    desk.queue.add(Key("TenantPool", metadata.name))
    desk.count_again()


WATCHED: Final = Watched("TenantPool", TenantPool, TenantPool.plural, lambda desk: desk.cluster.pools, observe, forget)
