"""reconcile(name) of a TenantPool: as many proven spares as it asks for, made a few at a time."""

import asyncio
from typing import Final

from vivero_core.backends.kube.errors import KubeConflictError, KubeNotFoundError
from vivero_core.backends.kube.resources import TENANT, TENANT_POOL
from vivero_core.model import conditions as cond
from vivero_core.model.conditions import Condition, Status
from vivero_core.model.constants import ConditionType, Reason
from vivero_core.model.tenant import Tenant
from vivero_core.model.tenant_pool import TenantPool, TenantPoolStatus

from vivero_operator import metrics
from vivero_operator.manifests import spare as manifest
from vivero_operator.policies import pool as policy
from vivero_operator.policies.pool import Stock
from vivero_operator.reconcile.run import Services
from vivero_operator.reconcile.tenant import Result

LOOK_AGAIN_SECONDS: Final = 60.0
"""Spares announce their changes; a proof that grows old does not."""


class TenantPoolReconciler:
    """What a pool lacks is counted anew each time, so nothing is made twice, whatever was interrupted."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def reconcile(self, name: str) -> Result:
        spares = [one for one in self._services.cluster.spares(name) if one.metadata.deletion_timestamp is None]
        pool = self._services.cluster.pools.get(name)
        if pool is None or pool.metadata.deletion_timestamp is not None:
            await self._discard(spares)
            metrics.forget_pool(name)
            return Result()
        settings = self._services.settings
        stock = policy.take_stock(
            pool,
            spares,
            release=manifest.release(settings.data_plane_image),
            now=self._services.now(),
            proof_lasts=settings.proof_lasts,
        )
        order = policy.decide(pool.spec.size, stock, at_once=settings.spares_at_once)
        metrics.show_pool(name, size=pool.spec.size, ready=len(stock.ready), starting=len(stock.starting))
        await self._make(pool, order.make)
        await self._discard(order.discard)
        await self._write(pool, stock, order.make)
        return Result(retry_after=LOOK_AGAIN_SECONDS)

    async def _make(self, pool: TenantPool, count: int) -> None:
        # Not a TaskGroup: its group of errors would pass for a bug, and one fault would end the others half-way.
        made = await asyncio.gather(*(self._make_one(pool) for _ in range(count)), return_exceptions=True)
        for fault in filter(None, made):
            raise fault

    async def _make_one(self, pool: TenantPool) -> None:
        body = await self._services.kube.create(manifest.build(pool, self._services.settings.data_plane_image))
        # Known at once: the next count must not wait for the watch's echo.
        self._services.cluster.tenants.put(Tenant.parse(body))

    async def _discard(self, spares: "list[Tenant] | tuple[Tenant, ...]") -> None:
        for spare in spares:
            meta = spare.metadata
            try:
                # In this very version: a spare that is claimed meanwhile is a customer's.
                await self._services.kube.delete(
                    TENANT, meta.name, uid=meta.uid, resource_version=meta.resource_version
                )
            except (KubeConflictError, KubeNotFoundError):
                continue  # the watch tells what became of it, and that brings the pool back here

    async def _write(self, pool: TenantPool, stock: Stock, made: int) -> None:
        status = self._status(pool, stock, made)
        if status == pool.status:
            return
        try:
            body = await self._services.kube.patch_status(TENANT_POOL, pool.name, status.dump(), uid=pool.metadata.uid)
        except KubeNotFoundError:
            return
        self._services.cluster.pools.put(TenantPool.parse(body))

    def _status(self, pool: TenantPool, stock: Stock, made: int) -> TenantPoolStatus:
        size, ready = pool.spec.size, len(stock.ready)
        full = ready >= size
        ready_condition = Condition(
            type=ConditionType.READY,
            status=Status.of(full),
            reason=Reason.FULL if full else Reason.FILLING,
            message=f"{ready} of {size} spares can be claimed",
            last_transition_time=self._services.now(),
            observed_generation=pool.metadata.generation,
        )
        return TenantPoolStatus(
            spares=stock.total + made,
            ready=ready,
            observed_generation=pool.metadata.generation,
            conditions=cond.merge(pool.status.conditions, [ready_condition]),
        )
