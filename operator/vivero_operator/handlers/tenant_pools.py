"""TenantPools: a change requeues the pool; so does every change of one of its spares (tenants.py)."""

from typing import Final

from vivero_core.model.base import Metadata
from vivero_core.model.tenant_pool import TenantPool

from vivero_operator.handlers import HandlerContext
from vivero_operator.handlers.dispatch import Watched
from vivero_operator.policies.pause import paused
from vivero_operator.reconcile.controller import Key


def observe(context: HandlerContext, pool: TenantPool) -> None:
    context.cluster.pools.put(pool)
    wants = pool.metadata.generation, pool.metadata.deletion_timestamp, paused(pool.metadata)
    if context.wants.get(pool.metadata.uid) != wants:
        context.wants[pool.metadata.uid] = wants
        context.queue.add(Key("TenantPool", pool.name))
        context.count_again()


def forget(context: HandlerContext, metadata: Metadata) -> None:
    context.wants.pop(metadata.uid, None)
    context.cluster.pools.drop(metadata.name, metadata.uid)
    context.queue.add(Key("TenantPool", metadata.name))
    context.count_again()


WATCHED: Final = Watched(
    "TenantPool", TenantPool, TenantPool.plural, lambda context: context.cluster.pools, observe, forget
)
