"""reconcile(name) of a TenantPool: scales its spares to spec.size, a few at a time."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from vivero_core.backends.kube.errors import KubeConflictError, KubeNotFoundError
from vivero_core.backends.kube.resources import TENANT, TENANT_POOL
from vivero_core.errors import BackendError
from vivero_core.model import conditions as cond
from vivero_core.model.base import Metadata
from vivero_core.model.conditions import Condition, Status
from vivero_core.model.constants import ConditionType, Reason
from vivero_core.model.tenant import Tenant
from vivero_core.model.tenant_pool import TenantPool, TenantPoolStatus

from vivero_operator import metrics
from vivero_operator.manifests import spare as manifest
from vivero_operator.manifests.event import EventType, ObjectEvent, Subject
from vivero_operator.policies import pool as policy
from vivero_operator.policies.life import paused, shown
from vivero_operator.policies.pool import Stock
from vivero_operator.reconcile.context import HandlerContext
from vivero_operator.reconcile.controller import Result
from vivero_operator.reconcile.kind import News, Reconciler, drop, take
from vivero_operator.reconcile.run import Services
from vivero_operator.reconcile.writing import remember, write_status

LOOK_AGAIN_SECONDS: Final = 60.0
"""Spares announce their changes; a proof that grows old does not."""
GIVE_WAY_SECONDS: Final = 0.5
"""How soon a pool looks again whether signups leave it room."""
SETTLE_SECONDS: Final = 5.0
"""A count that is right again sooner is not written down: a claim would cost two writes for nothing that lasts."""


def observe(context: HandlerContext, pool: TenantPool) -> None:
    """It uses a Plan; what its spares tell it, handlers/tenants.py says."""
    if take(context, pool) is not News.ECHO:
        context.count_again()


def forget(context: HandlerContext, metadata: Metadata) -> None:
    drop(context, TenantPool, metadata)
    context.count_again()


class TenantPoolReconciler(Reconciler):
    """What a pool lacks is counted again each time, so nothing is made twice, whatever was interrupted."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._unwritten: dict[str, datetime] = {}
        """Since when a pool's status is not what it should be, by name."""

    async def reconcile(self, name: str) -> Result:
        spares = [one for one in self._services.cluster.spares(name) if one.metadata.deletion_timestamp is None]
        pool = self._services.cluster.pools.get(name)
        if pool is None or pool.metadata.deletion_timestamp is not None:
            await self._discard(spares)
            metrics.forget_pool(name)
            self._unwritten.pop(name, None)
            return Result(gone=pool is None)
        settings = self._services.settings
        stock = policy.take_stock(
            pool,
            spares,
            release=self._services.rollout.current,
            now=self._services.now(),
            proof_lasts=settings.proof_lasts,
        )
        # Also of a paused one: that nothing fills it is what an alert is for.
        metrics.show_pool(name, size=pool.spec.size, ready=len(stock.ready), starting=len(stock.starting))
        if paused(pool.metadata):
            await self._write(
                pool, pool.status.model_copy(update={"conditions": self._shown(pool, pool.status.conditions)})
            )
            return Result()
        signups = policy.signups_under_way(self._services.cluster.tenants, self._services.now())
        scaling = policy.decide(pool.spec.size, stock, at_once=max(0, settings.spares_at_once - signups))
        refusal = await self._make(pool, scaling.create)
        await self._discard(scaling.delete)
        status = self._status(pool, stock, scaling.create, refusal)
        if self._is_to_be_written(pool, status):
            await self._write(pool, status)
            await self._announce(pool, status)
        if refusal is not None:
            return Result(failed=True)
        if signups and scaling.create < pool.spec.size - len(stock.current):
            return Result(retry_after=GIVE_WAY_SECONDS)
        return Result(retry_after=SETTLE_SECONDS if name in self._unwritten else LOOK_AGAIN_SECONDS)

    async def _make(self, pool: TenantPool, count: int) -> BackendError | None:
        """Why one cannot be made, when it is no passing fault: the pool's status has to say it."""
        # Not a TaskGroup: its group of errors would pass for a bug, and one fault would end the others half-way.
        made = await asyncio.gather(*(self._make_one(pool) for _ in range(count)), return_exceptions=True)
        refusal = None
        for fault in filter(None, made):
            if not isinstance(fault, BackendError) or fault.retryable:
                raise fault
            refusal = fault
        return refusal

    async def _make_one(self, pool: TenantPool) -> None:
        body = await self._services.kube.create(manifest.build(pool, self._services.rollout.current))
        # Known at once: the next count must not wait for the watch's echo.
        remember(Tenant, body, self._services.cluster.tenants)

    async def _discard(self, spares: "list[Tenant] | tuple[Tenant, ...]") -> None:
        for spare in spares:
            meta = spare.metadata
            try:
                # In this very version: a spare that is claimed meanwhile is a customer's.
                await self._services.kube.delete(
                    TENANT, meta.name, uid=meta.uid, resource_version=meta.resource_version
                )
            except (KubeConflictError, KubeNotFoundError):
                continue  # its event requeues the pool

    def _is_to_be_written(self, pool: TenantPool, status: TenantPoolStatus) -> bool:
        """At once when what is wanted has changed or the pool has become full, else when it lasts."""
        if status == pool.status:
            self._unwritten.pop(pool.name, None)
            return False
        now = self._services.now()
        since = self._unwritten.setdefault(pool.name, now)
        news = status.observed_generation != pool.status.observed_generation
        full = cond.is_true(status.conditions, ConditionType.READY) and not cond.is_true(
            pool.status.conditions, ConditionType.READY
        )
        return news or full or now - since >= timedelta(seconds=SETTLE_SECONDS)

    async def _write(self, pool: TenantPool, status: TenantPoolStatus) -> None:
        await write_status(self._services, TENANT_POOL, pool, status, self._services.cluster.pools)
        self._unwritten.pop(pool.name, None)

    async def _announce(self, pool: TenantPool, status: TenantPoolStatus) -> None:
        """When it becomes full, and when something keeps it from that."""
        was, now = (cond.find(one.conditions, ConditionType.READY) for one in (pool.status, status))
        if now is None or now.reason == Reason.FILLING or (was is not None and was.reason == now.reason):
            return
        kind: EventType = "Warning" if now.reason == Reason.SHORT else "Normal"
        subject = Subject.of("TenantPool", pool.metadata)
        await self._services.recorder.record(ObjectEvent(subject, kind, now.reason, now.message, "Fill"))

    def _status(self, pool: TenantPool, stock: Stock, made: int, refusal: BackendError | None) -> TenantPoolStatus:
        size, ready = pool.spec.size, len(stock.ready)
        full, why = ready >= size, f"creating a spare failed: {refusal}" if refusal else policy.shortage(stock)
        message = f"{ready} of {size} spares can be claimed"
        ready_condition = Condition(
            type=ConditionType.READY,
            status=Status.of(full),
            reason=Reason.FULL if full else (Reason.SHORT if why else Reason.FILLING),
            message=message if full or why is None else f"{message}; {why}",
            last_transition_time=self._services.now(),
            observed_generation=pool.metadata.generation,
        )
        return TenantPoolStatus(
            spares=stock.total + (0 if refusal else made),
            ready=ready,
            selector=",".join(f"{key}={value}" for key, value in manifest.selector(pool).items()),
            observed_generation=pool.metadata.generation,
            conditions=self._shown(pool, cond.merge(pool.status.conditions, [ready_condition])),
        )

    def _shown(self, pool: TenantPool, conditions: Sequence[Condition]) -> tuple[Condition, ...]:
        return shown(conditions, pool.metadata, self._services.now(), idle="creation or deletion of spares")
