"""reconcile(name): looks at one Tenant and brings what it says about; for create, change, resume and resync alike."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import SECRET
from vivero_core.model.conditions import Condition
from vivero_core.model.constants import FINALIZER, Reason
from vivero_core.model.plan import Plan
from vivero_core.model.tenant import Tenant, TenantStatus

from vivero_operator.instance import Instance
from vivero_operator.manifests import retained
from vivero_operator.policies import claims, life, verdict
from vivero_operator.policies.life import Phase
from vivero_operator.policies.outcome import State
from vivero_operator.policies.verdict import Finding
from vivero_operator.reconcile import lanes, pipeline, status
from vivero_operator.reconcile.memory import Memory
from vivero_operator.reconcile.run import Run, Services
from vivero_operator.reconcile.steps import finalizer, owner

# Deleting needs names, and they come from the id alone: the plan may be gone long since.
_NO_PLAN: Final = Plan.parse({"metadata": {"name": ""}, "spec": {"displayName": "-", "price": {"amountCents": 0}}})

WHOLE_PASS_SECONDS: Final = 10.0
"""After a claim, when nobody waits any more, all that its new spec touches is looked at."""


@dataclass(frozen=True)
class Result:
    """When to come back: after a fault with back-off, after `retry_after` seconds, or at the next resync."""

    failed: bool = False
    retry_after: float | None = None
    urgent: bool = False
    """Whether somebody waits for it."""


def mended_message(parts: Sequence[str]) -> str:
    return f"Was changed by somebody else and is as wanted again: {', '.join(parts)}"


def result_of(findings: Sequence[Finding]) -> Result:
    delays = [one.outcome.retry_after for one in findings if one.outcome.retry_after is not None]
    failed = any(one.outcome.state is State.FAILED for one in findings)
    return Result(failed, min(delays, default=None))


class TenantReconciler:
    """For all tenants; the queue sees to it that each is here only once at a time."""

    def __init__(self, services: Services, memory: Memory) -> None:
        self._services = services
        self._memory = memory

    async def reconcile(self, name: str) -> Result:
        tenant = self._services.cluster.tenants.get(name)
        if tenant is None:
            return Result()
        lanes.URGENT.set(life.awaited(tenant))
        try:
            if tenant.metadata.deletion_timestamp is not None:
                return await self._delete(tenant)
            return await self._keep(tenant)
        except KubeNotFoundError:
            known = self._services.cluster.tenants.get(name)
            if known is not None and known.metadata.uid == tenant.metadata.uid:
                raise
            return Result()  # it went while we looked at it, and the watch has said so

    async def _keep(self, tenant: Tenant) -> Result:
        cluster = self._services.cluster
        refusal = claims.refused_slug(tenant, cluster.rivals(tenant))
        if refusal is not None:
            return await self._refuse(tenant, *refusal)
        plan = cluster.plans.get(tenant.spec.plan)
        if plan is None:
            return await self._refuse(tenant, Reason.PLAN_NOT_FOUND, f"Plan {tenant.spec.plan} does not exist")
        run = Run(self._services, Instance(tenant, plan, self._services.settings))
        now = self._services.now()
        phase = life.phase(tenant, now, self._services.settings.proof_lasts)
        begun = self._memory.since_begin(tenant.metadata.uid)
        suspect = self._memory.take_suspicion(tenant.metadata.uid)
        findings = await pipeline.execute(pipeline.OF_PHASE[phase], run, self._memory)
        if suspect and run.mended:
            await status.announce(self._services, tenant, "Normal", Reason.MENDED, mended_message(run.mended))
        if phase is Phase.SUSPENDED:
            self._memory.forget(tenant.metadata.uid)
            conditions = verdict.suspended(run.tenant, findings, now)
        elif phase is Phase.CLAIMED:
            conditions = verdict.bound(run.tenant, findings, now)
        else:
            conditions = verdict.active(run.tenant, findings, now)
        silence = verdict.silence(run.tenant, conditions, begun)
        if silence is not None:
            return Result(retry_after=silence.total_seconds(), urgent=life.awaited(tenant))
        updated = await status.write(self._services, tenant, _status(run, conditions))
        await owner.forget_password(replace(run, instance=replace(run.instance, tenant=updated)))
        result = replace(result_of(findings), urgent=life.awaited(updated))
        if phase is Phase.CLAIMED and not result.failed:
            return replace(result, retry_after=WHOLE_PASS_SECONDS)
        return result

    async def _refuse(self, tenant: Tenant, reason: Reason, message: str) -> Result:
        """Nothing is made and nothing taken away; what would change this brings the tenant back here."""
        conditions = verdict.refused(tenant, reason, message, self._services.now())
        update = {"observed_generation": tenant.metadata.generation, "conditions": conditions}
        await status.write(self._services, tenant, tenant.status.model_copy(update=update))
        return Result()

    async def _delete(self, tenant: Tenant) -> Result:
        if FINALIZER not in tenant.metadata.finalizers:
            return Result()
        run = Run(self._services, Instance(tenant, _NO_PLAN, self._services.settings))
        steps = pipeline.DELETE if await self._owns_its_id(run) else pipeline.LEAVE
        findings = await pipeline.execute(steps, run, self._memory)
        if verdict.worst(findings) is not None:
            conditions = verdict.deleting(tenant, findings, self._services.now())
            await status.write(self._services, tenant, tenant.status.model_copy(update={"conditions": conditions}))
            return result_of(findings)
        if steps is pipeline.DELETE:
            await status.announce(self._services, tenant, "Normal", *_farewell(tenant, findings))
        await finalizer.remove(run)
        self._memory.forget(tenant.metadata.uid)
        return Result()

    async def _owns_its_id(self, run: Run) -> bool:
        """An id of one's own uid is one's own; an adopted one only when the retained record says so."""
        if run.tenant.spec.adopt is None:
            return True
        secret = await run.find(SECRET, retained.name(run.instance.id), run.instance.settings.platform_namespace)
        run.record = retained.parse(secret) if secret else None
        return run.record is not None and run.record.adopted_by == run.tenant.metadata.uid


def _farewell(tenant: Tenant, findings: Sequence[Finding]) -> tuple[str, str]:
    names = findings[0].outcome.message
    if tenant.goes_with_its_data:
        return Reason.ERASED, f"Destroyed: {names}"
    return Reason.RETAINED, f"Kept for spec.adopt {tenant.id}: {names}"


def _status(run: Run, conditions: tuple[Condition, ...]) -> TenantStatus:
    old = run.tenant.status
    return TenantStatus(
        id=run.instance.id,
        observed_generation=run.tenant.metadata.generation,
        url=run.instance.url,
        version=run.version or old.version,
        database_server=run.address.server if run.address else old.database_server,
        # In force once the limits stand in the Secret.
        plan=run.instance.plan.name if run.keys else old.plan,
        proven_at=run.proven_at or old.proven_at,
        conditions=conditions,
    )
