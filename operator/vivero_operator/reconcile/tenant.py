"""reconcile(name) of a Tenant: level-based, the same for create, change, resume and resync."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from vivero_core.account_key import public_half
from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.model import conditions as cond
from vivero_core.model.base import shortened
from vivero_core.model.conditions import Condition
from vivero_core.model.constants import FINALIZER, ConditionType, Reason
from vivero_core.model.plan import Plan
from vivero_core.model.reading import salvaged
from vivero_core.model.tenant import Recovery, Tenant, TenantStatus

from vivero_operator.instance import Instance
from vivero_operator.manifests.event import ObjectEvent, Subject
from vivero_operator.policies import allocation, life, proofs, schedule, tenant_conditions
from vivero_operator.policies.life import Move, State, paused
from vivero_operator.policies.tenant_conditions import Finding
from vivero_operator.reconcile import archives, circuit_breaker, pipeline, writing
from vivero_operator.reconcile.controller import Result, result_of
from vivero_operator.reconcile.kind import Reconciler
from vivero_operator.reconcile.run import Run, Services
from vivero_operator.reconcile.state import ReconcileState
from vivero_operator.reconcile.steps import owner, tenure
from vivero_operator.tracing import passing

# Deleting needs names, and they come from the id alone: the plan may be gone long since. Data is then kept for a while.
_NO_PLAN: Final = Plan.parse({"metadata": {"name": ""}, "spec": {"displayName": "-", "price": {"amountCents": 0}}})

_COLUMN: Final = 160
"""Characters of writing.message."""
_PASSWORD_SECONDS: Final = 1.0
"""A password that came while another one was set is set so soon after it."""
WHOLE_PASS_SECONDS: Final = 10.0
"""After a claim or a first start, when no one waits any more, all that the new spec touches is looked at."""


class TenantReconciler(Reconciler):
    """For all tenants; the queue sees to it that each is here only once at a time."""

    def __init__(self, services: Services, state: ReconcileState) -> None:
        self._services = services
        self._state = state
        self._claimed: set[str] = set()
        """uids of tenants that were bound, and whose claim is still to be announced."""

    async def reconcile(self, name: str) -> Result:
        tenant = self._known(name)
        if tenant is None:
            return Result(gone=True)
        circuit_breaker.URGENT.set(life.awaited(tenant))
        try:
            if paused(tenant.metadata):
                return await self._pause(tenant)
            if tenant.metadata.deletion_timestamp is not None:
                return await self._delete(tenant)
            with passing(self._services.tracer, tenant):
                return await self._keep(tenant)
        except KubeNotFoundError:
            known = self._services.cluster.tenants.get(name)
            if known is not None and known.metadata.uid == tenant.metadata.uid:
                raise
            return Result(gone=True)  # it went while we looked at it, and the watch has said so

    def _known(self, name: str) -> Tenant | None:
        """As in the mirror; of one that cannot be parsed what is needed to delete it."""
        unreadable = self._services.cluster.unreadable.get(("Tenant", name))
        return salvaged(unreadable) if unreadable is not None else self._services.cluster.tenants.get(name)

    async def _keep(self, tenant: Tenant) -> Result:
        cluster = self._services.cluster
        refusal = allocation.refused_slug(tenant, cluster.rivals(tenant))
        if refusal is not None:
            return await self._refuse(tenant, *refusal)
        plan = cluster.plan_of(tenant)
        if plan is None:
            return await self._refuse(tenant, Reason.PLAN_NOT_FOUND, f"Plan {tenant.spec.plan} does not exist")
        begun = self._state.since_begin(tenant.metadata.uid)
        run = Run(self._services, Instance(tenant, plan, self._services.settings), self._state, begun)
        if cluster.plans.get(tenant.spec.plan) is None:
            run.notes.append(f"Plan {tenant.spec.plan} does not exist, its last known limits remain in effect")
        move = self._move(tenant)
        suspect = self._state.take_suspicion(tenant.metadata.uid)
        findings = await pipeline.execute(pipeline.OF_STATE[move.state], run, self._state)
        await writing.announce_corrections(run, self._state, suspect=suspect)
        if run.put_off is not None:
            self._state.forget(tenant.metadata.uid)
        recovery = self._recovery(tenant)
        conditions = self._conditions(run, move, findings, recovery)
        self._count_start(tenant, conditions)
        silence = tenant_conditions.silence(run.tenant, conditions, begun, self._age(tenant))
        if silence is not None:
            return Result(retry_after=silence.total_seconds(), urgent=life.awaited(tenant))
        wanted = _with_recovery(_status(run, findings, conditions, self._services.now()), tenant.status, recovery)
        updated = await writing.write_tenant(self._services, tenant, wanted, move.reason)
        await self._announce_claim(updated, move)
        result = replace(result_of(findings, run.put_off), urgent=life.awaited(updated))
        if not await owner.forget_password(run):
            return replace(result, retry_after=_PASSWORD_SECONDS)
        first_proof = tenant.status.proven_at is None and updated.status.proven_at is not None
        if (move.state is State.CLAIMED and not result.failed) or (first_proof and not tenant.is_spare):
            return replace(result, retry_after=WHOLE_PASS_SECONDS)
        return result

    def _move(self, tenant: Tenant, *, own: bool = True) -> Move:
        bound, lasts = tenant.metadata.uid in self._claimed, self._services.settings.proof_lasts
        return life.move(tenant, self._services.now(), lasts, bound=bound, own=own)

    def _recovery(self, tenant: Tenant) -> Recovery | None:
        if tenant.is_spare:
            return None
        known, to = self._services.cluster.proofs_of(tenant), archives.archived_to(self._services, tenant)
        return proofs.recovery(tenant.status.recovery, known, to, self._services.now())

    def _conditions(
        self, run: Run, move: Move, findings: Sequence[Finding], recovery: Recovery | None
    ) -> tuple[Condition, ...]:
        now = self._services.now()
        if move.state is State.SUSPENDED:
            self._state.forget(run.tenant.metadata.uid)
        found = tenant_conditions.of(move, run.tenant, findings, now)
        if run.hosts is not None:
            own = tenant_conditions.hosts(run.tenant, run.hosts, now)
            found = cond.merge(found, own) if own else cond.without(found, ConditionType.HOSTS_READY)
        wanted = schedule.in_force(run.tenant, run.instance.plan)
        backups = tenant_conditions.backups(
            run.tenant, wanted, now, has_bucket=bool(self._services.settings.backup_secret)
        )
        found = cond.merge(found, backups) if backups else cond.without(found, ConditionType.BACKUP_SCHEDULED)
        recoverable = proofs.condition(run.tenant, recovery, now)
        if recoverable is not None:
            found = cond.merge(found, [recoverable])
        return cond.without(found, ConditionType.PAUSED)

    def _count_start(self, tenant: Tenant, conditions: tuple[Condition, ...]) -> None:
        """One that is ready, or cannot start, makes room for the next."""
        ready = cond.find(conditions, ConditionType.READY)
        if ready is not None and ready.reason == Reason.WAITING_FOR_TURN:
            self._state.begin_again(tenant.metadata.uid)
        elif ready is None or ready.reason not in (Reason.STARTING, Reason.PROVISIONING):
            self._services.start_limiter.ended(tenant.metadata.uid)

    def _age(self, tenant: Tenant) -> timedelta:
        made = tenant.metadata.creation_timestamp
        return self._services.now() - made if made is not None else timedelta()

    async def _announce_claim(self, tenant: Tenant, move: Move) -> None:
        """With the whole pass that follows: while it is bound someone waits."""
        uid = tenant.metadata.uid
        if move.state is State.CLAIMED:
            self._claimed.add(uid)
            return
        if uid not in self._claimed:
            return
        self._claimed.discard(uid)
        message = f"Claimed from TenantPool {tenant.spec.pool} as {tenant.spec.slug}"
        await self._say(tenant, Reason.CLAIMED, message, "Bind")

    async def _say(self, tenant: Tenant, reason: str, message: str, action: str) -> None:
        subject = Subject.of("Tenant", tenant.metadata)
        await self._services.recorder.record(ObjectEvent(subject, "Normal", reason, message, action))

    async def _pause(self, tenant: Tenant) -> Result:
        """Shown in the status, and no more: changes are reconciled when the annotation is removed."""
        self._state.forget(tenant.metadata.uid)
        self._services.start_limiter.ended(tenant.metadata.uid)
        conditions = tenant_conditions.paused(tenant, self._services.now())
        update = {"conditions": conditions, "message": _sentence(conditions)}
        await writing.write_tenant(self._services, tenant, tenant.status.model_copy(update=update))
        return Result()

    async def _refuse(self, tenant: Tenant, reason: Reason, message: str) -> Result:
        """Nothing is created or deleted; an event of what would change this requeues the tenant."""
        self._services.start_limiter.ended(tenant.metadata.uid)
        conditions = cond.without(
            tenant_conditions.refused(tenant, reason, message, self._services.now()), ConditionType.PAUSED
        )
        update = {
            "observed_generation": tenant.metadata.generation,
            "conditions": conditions,
            "message": _sentence(conditions),
        }
        await writing.write_tenant(self._services, tenant, tenant.status.model_copy(update=update))
        return Result()

    async def _delete(self, tenant: Tenant) -> Result:
        self._services.start_limiter.ended(tenant.metadata.uid)
        self._claimed.discard(tenant.metadata.uid)
        if FINALIZER not in tenant.metadata.finalizers:
            return Result(gone=True)
        plan = self._services.cluster.plan_of(tenant) or _NO_PLAN
        run = Run(self._services, Instance(tenant, plan, self._services.settings), self._state)
        move = self._move(tenant, own=await self._owns_its_id(run))
        findings = await pipeline.execute(pipeline.OF_STATE[move.state], run, self._state)
        if tenant_conditions.worst(findings) is not None:
            await self._say_deleting(run, move, findings)
            return result_of(findings)
        if move.state is State.DELETING:
            await self._say(tenant, *_farewell(run.instance, findings), "Delete")
        await tenure.remove_finalizer(run)
        self._state.drop(tenant.metadata.uid)
        return Result(gone=True)

    async def _say_deleting(self, run: Run, move: Move, findings: Sequence[Finding]) -> None:
        tenant, now = run.tenant, self._services.now()
        conditions = cond.without(tenant_conditions.of(move, tenant, findings, now), ConditionType.PAUSED)
        lost_at = (tenant.status.data_lost_at or now) if run.lost else tenant.status.data_lost_at
        update = {"conditions": conditions, "message": _sentence(conditions), "data_lost_at": lost_at}
        await writing.write_tenant(self._services, tenant, tenant.status.model_copy(update=update), move.reason)

    async def _owns_its_id(self, run: Run) -> bool:
        """An id of one's own uid is one's own; an adopted one only when the record says so."""
        if run.tenant.spec.adopt is None:
            return True
        run.record = await self._services.escrow.find(run.instance.id)
        return run.record is not None and run.record.owner_uid == run.tenant.metadata.uid


def _farewell(instance: Instance, findings: Sequence[Finding]) -> tuple[str, str]:
    names = next(one.outcome.message for one in findings if one.outcome.reason in (Reason.RETAINED, Reason.ERASED))
    if instance.destroys_data:
        return Reason.ERASED, f"Data erased: {names}"
    until = f" until {instance.erase_at:%Y-%m-%dT%H:%M:%SZ}" if instance.erase_at is not None else ""
    return Reason.RETAINED, f"Data retained{until} for spec.adopt {instance.id}: {names}"


def _sentence(conditions: Sequence[Condition]) -> str | None:
    """Its first words: a column of kubectl has no room for more, and the condition has it all."""
    found = tenant_conditions.summary(conditions)
    return shortened(found.message.partition(". ")[0], _COLUMN) if found is not None else None


def _status(run: Run, findings: Sequence[Finding], conditions: tuple[Condition, ...], now: datetime) -> TenantStatus:
    old = run.tenant.status
    # Once the schema is there its server cannot be changed any more.
    placed = any(one.condition is ConditionType.DATABASE_READY and one.outcome.done for one in findings)
    ready = cond.is_true(conditions, ConditionType.READY)
    return TenantStatus(
        id=run.instance.id,
        observed_generation=run.tenant.metadata.generation,
        message="; ".join(filter(None, [_sentence(conditions), *run.notes])) or None,
        url=run.instance.url,
        version=run.version or old.version,
        database_server=run.address.server if run.address and placed else old.database_server,
        # In force once the limits stand in the Secret.
        plan=run.instance.plan.name if run.keys else old.plan,
        release=run.release or old.release,
        updated_replicas=old.updated_replicas if run.updated is None else run.updated,
        trial_ends_at=run.instance.trial_ends_at,
        owner=run.owner_status or old.owner,
        account_key=public_half(run.keys.signing_key) if run.keys else old.account_key,
        hosts=run.hosts if run.hosts is not None else old.hosts,
        backup=old.backup,
        data_given_up_at=_given_up_at(run.tenant),
        data_lost_at=_lost_at(run, now, ready=ready),
        proven_at=run.proven_at or old.proven_at,
        conditions=conditions,
    )


def _with_recovery(status: TenantStatus, old: TenantStatus, recovery: Recovery | None) -> TenantStatus:
    """The status; that the archive has gone on alone is not worth a write."""
    same = status.model_copy(update={"recovery": old.recovery})
    if same == old and not proofs.worth_a_write(old.recovery, recovery):
        return same
    return status.model_copy(update={"recovery": recovery})


def _given_up_at(tenant: Tenant) -> datetime | None:
    return tenant.spec.accept_data_loss_at if tenant.accepts_data_loss else tenant.status.data_given_up_at


def _lost_at(run: Run, now: datetime, *, ready: bool) -> datetime | None:
    """Since when data is known to be lost; reset once the tenant works again, restored or with accepted data loss."""
    old = run.tenant.status.data_lost_at
    if run.lost:
        return old or now
    return None if ready else old
