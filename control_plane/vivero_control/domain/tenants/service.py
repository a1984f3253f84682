"""Tenants for staff: search them, read one, act on it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

import msgspec
from vivero_core.model.constants import LABEL_SIGNUP
from vivero_core.model.reading import Unreadable, salvaged
from vivero_core.model.tenant import Tenant
from vivero_web.clock import Clock
from vivero_web.logs import about_tenant
from vivero_web.text import tidy

from vivero_control.domain.audit.service import AuditAction, AuditService
from vivero_control.domain.plans.service import PlanNotFoundError, PlanService, unknown_plan
from vivero_control.domain.tenants import policies
from vivero_control.domain.tenants.directory import TenantDirectory, spec_text
from vivero_control.domain.tenants.errors import TenantChangedError, TenantNotFoundError, TenantUnreadableError
from vivero_control.domain.tenants.own_hosts import typed_host
from vivero_control.domain.tenants.policies import signup_subject, tenant_subject
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_control.domain.tenants.schemas import (
    TRIAL_SOON,
    Action,
    ChangePlan,
    ConditionView,
    ConfirmOwner,
    Delete,
    ExtendTrial,
    Only,
    OwnHostOrder,
    Page,
    Rename,
    Resume,
    SortKey,
    Suspend,
    TenantDetail,
    TenantQuery,
    TenantRow,
    TenantState,
)

# The operator updates status now and then: an action that lost against such a write is retried on the new version.
ATTEMPTS: Final = 4
_LATEST: Final = datetime.max.replace(tzinfo=UTC)

Decide = Callable[[Tenant], policies.Patch]


class TenantService:
    """Lists come from the informer; an action reads the Tenant afresh, writes it conditionally, and is audited."""

    def __init__(  # noqa: PLR0913  what it works with, by name
        self,
        *,
        directory: TenantDirectory,
        repository: TenantRepository,
        plans: PlanService,
        audit: AuditService,
        tenant_url: Callable[[str], str],
        domain: str,
        clock: Clock,
    ) -> None:
        self._directory = directory
        self._repository = repository
        self._plans = plans
        self._audit = audit
        self._tenant_url = tenant_url
        self._domain = domain
        self._clock = clock

    def search(self, query: TenantQuery) -> Page[TenantRow]:
        """The matching part of all tenants; a newly made one is in it within milliseconds."""
        now = self._clock()
        rows = [row for row in self._rows() if _matches(row, query) and _is_one_of(row, query.only, now)]
        rows.sort(key=lambda row: row.name)
        rows.sort(key=lambda row: _sort_value(row, query.sort), reverse=query.descending)
        part = tuple(rows[query.offset : query.offset + query.limit])
        return Page(items=part, total=len(rows), limit=query.limit, offset=query.offset)

    def customers(self) -> list[TenantRow]:
        """Every tenant that is somebody's."""
        return [row for row in self._rows() if row.state is not TenantState.STANDBY]

    def _rows(self) -> list[TenantRow]:
        return [*map(self._row, self._directory.all()), *map(self._unreadable_row, self._directory.unreadable())]

    async def get(self, name: str) -> TenantDetail:
        """Raises TenantNotFoundError, ClusterUnavailableError."""
        found = await self._repository.find(name)
        if isinstance(found, Unreadable):
            return msgspec.structs.replace(self._detail(salvaged(found)), tenant=self._unreadable_row(found))
        return self._detail(_there(found, name))

    async def suspend(self, name: str, action: Suspend, actor: str) -> TenantDetail:
        """Raises WrongStateError when it is suspended already; so do the others when they make no sense."""
        return await self.give(name, action, actor)

    async def resume(self, name: str, action: Resume, actor: str) -> TenantDetail:
        return await self.give(name, action, actor)

    async def extend_trial(self, name: str, action: ExtendTrial, actor: str) -> TenantDetail:
        return await self.give(name, action, actor)

    async def give(self, name: str, action: Action, actor: str) -> TenantDetail:
        """Each of the three above."""
        word, detail, decide = self._decision(action)
        return await self._change(name, _audit_action(word, name, action, actor, detail), decide, action.generation)

    async def check(self, name: str, action: Action) -> TenantDetail:
        """What `give` would look at; nothing is changed or audited. Raises as `give` does."""
        _, _, decide = self._decision(action)
        tenant, _ = await self._decided(name, decide, action.generation)
        return self._detail(tenant)

    def check_known(self, name: str, action: Action) -> TenantDetail:
        """As `check`, by what the list knows of it: for many at once. Raises as `give` does."""
        _, _, decide = self._decision(action)
        tenant = _there(self._directory.get(name), name)
        decide(tenant)
        return self._detail(tenant)

    def _decision(self, action: Action) -> tuple[str, dict[str, Any], Decide]:
        """The audit log's word for an action, what it says besides the reason, and what is written."""
        now = self._clock()
        match action:
            case Suspend():
                detail = {"kind": str(action.kind), "message": action.message}
                return "suspend", detail, lambda tenant: policies.suspend(tenant, action)
            case Resume():
                return "resume", {}, lambda tenant: policies.resume(tenant, now)
            case ExtendTrial():
                ends = {"trial_ends_at": policies.timestamp(action.trial_ends_at)}
                return "extend-trial", ends, lambda tenant: policies.extend_trial(tenant, action, now)

    async def confirm_owner(self, name: str, action: ConfirmOwner, actor: str) -> TenantDetail:
        def decide(tenant: Tenant) -> policies.Patch:
            return policies.confirm_for_owner(tenant, self._clock())

        audited = _audit_action("confirm-owner", name, action, actor, {})
        return await self._change(name, audited, decide, action.generation)

    async def change_plan(self, name: str, action: ChangePlan, actor: str) -> TenantDetail:
        """Raises InvalidInputError naming `plan` when there is no such plan."""
        try:
            plan = self._plans.find(action.plan)
        except PlanNotFoundError:
            raise unknown_plan(action.plan) from None
        ends = self._clock() + timedelta(days=plan.trial_days) if plan.trial_days else None

        def decide(tenant: Tenant) -> policies.Patch:
            return policies.change_plan(tenant, action, ends)

        audited = _audit_action("change-plan", name, action, actor, {"plan": plan.name})
        return await self._change(name, audited, decide, action.generation)

    async def rename(self, name: str, action: Rename, actor: str) -> TenantDetail:
        """Raises InvalidInputError naming `display_name` when people cannot read it."""
        wanted = tidy(action.display_name)

        def decide(tenant: Tenant) -> policies.Patch:
            return policies.rename(tenant, wanted)

        audited = _audit_action("rename", name, action, actor, {"display_name": wanted})
        return await self._change(name, audited, decide, action.generation)

    async def add_host(self, name: str, action: OwnHostOrder, actor: str) -> TenantDetail:
        """Serve it under this name, too, once who owns it is proven.

        Raises:
            InvalidInputError: naming `host`.
            WrongStateError: it is there, or there are too many.
        """
        host = typed_host(action.host)

        def decide(tenant: Tenant) -> policies.Patch:
            return policies.add_host(tenant, host, self._domain)

        return await self._change(
            name, _audit_action("add-host", name, action, actor, {"host": host}), decide, action.generation
        )

    async def remove_host(self, name: str, action: OwnHostOrder, actor: str) -> TenantDetail:
        """Serve it there no more. Raises WrongStateError when it is not in the list, InvalidInputError as `add_host`."""
        host = typed_host(action.host)

        def decide(tenant: Tenant) -> policies.Patch:
            return policies.remove_host(tenant, host)

        audited = _audit_action("remove-host", name, action, actor, {"host": host})
        return await self._change(name, audited, decide, action.generation)

    async def delete(self, name: str, action: Delete, actor: str) -> None:
        """Delete it; until the undo window of its plan ends, `DeletedTenants` brings it back.

        Raises:
            WrongStateError: it takes no orders.
            As the others.
        """
        tenant, patch = await self._decided(name, policies.delete, None)
        async with self._audit.recording(_audit_action("delete", name, action, actor, {"id": tenant.id})):
            await self._repository.delete(await self._patched(tenant, patch, policies.delete, None))

    async def _change(self, name: str, audited: AuditAction, decide: Decide, expected: int | None) -> TenantDetail:
        """Decide on the Tenant as it is now, and write exactly that version of it.

        A refused action changes nothing and is not audited; one that is retried against other writers is audited once.
        """
        tenant, patch = await self._decided(name, decide, expected)
        async with self._audit.recording(audited):
            return self._detail(await self._patched(tenant, patch, decide, expected))

    async def _patched(self, tenant: Tenant, patch: policies.Patch, decide: Decide, expected: int | None) -> Tenant:
        for _ in range(ATTEMPTS - 1):
            try:
                return await self._repository.patch(tenant, patch)
            except TenantChangedError:
                tenant, patch = await self._decided(tenant.name, decide, expected)
        return await self._repository.patch(tenant, patch)

    async def _decided(self, name: str, decide: Decide, expected: int | None) -> tuple[Tenant, policies.Patch]:
        tenant = await self.fresh(name)
        if expected is not None and tenant.metadata.generation != expected:
            raise TenantChangedError(name)
        return tenant, decide(tenant)

    async def fresh(self, name: str) -> Tenant:
        """As the cluster has it now. Raises TenantNotFoundError, TenantUnreadableError, ClusterUnavailableError."""
        found = await self._repository.find(name)
        if isinstance(found, Unreadable):
            raise TenantUnreadableError(name, found.why)
        return _there(found, name)

    def subjects(self, name: str) -> tuple[str, ...]:
        """How the audit log names it: as itself, and as the signup that made or claimed it before it had a name."""
        known = self._directory.get(name)
        signup = known.metadata.labels.get(LABEL_SIGNUP) if known else None
        return (tenant_subject(name), signup_subject(signup)) if signup else (tenant_subject(name),)

    def _row(self, tenant: Tenant) -> TenantRow:
        slug, owner = tenant.spec.slug, tenant.spec.owner
        return TenantRow(
            name=tenant.name,
            id=tenant.id,
            slug=slug,
            display_name=tenant.spec.display_name,
            url=(tenant.status.url or self._tenant_url(slug)) if slug else None,
            plan=tenant.spec.plan,
            owner_email=owner.email if owner else None,
            owner_confirmed=owner is not None and owner.confirmed,
            state=policies.state_of(tenant),
            message=policies.message_of(tenant),
            suspended_reason=tenant.spec.suspended.reason if tenant.spec.suspended else None,
            trial_ends_at=policies.trial_end(tenant),
            version=tenant.status.version,
            created_at=tenant.metadata.creation_timestamp,
        )

    def _unreadable_row(self, found: Unreadable) -> TenantRow:
        """What can be said of it."""
        slug = spec_text(found, "slug")
        return msgspec.structs.replace(
            self._row(salvaged(found)),
            slug=slug,
            display_name=spec_text(found, "displayName") or found.name,
            url=self._tenant_url(slug) if slug else None,
            state=TenantState.UNREADABLE,
            message=found.why,
        )

    def _detail(self, tenant: Tenant) -> TenantDetail:
        return TenantDetail(
            tenant=self._row(tenant),
            uid=tenant.metadata.uid,
            conditions=tuple(
                ConditionView(
                    type=one.type,
                    status=one.status,
                    reason=one.reason,
                    message=one.message,
                    since=one.last_transition_time,
                )
                for one in tenant.status.conditions
            ),
            hosts=tenant.spec.hosts,
            suspended_message=tenant.spec.suspended.message if tenant.spec.suspended else "",
            deletion_policy=tenant.spec.deletion_policy,
            database_server=tenant.status.database_server,
            proven_at=tenant.status.proven_at,
            recovery=policies.recovery_of(tenant),
            generation=tenant.metadata.generation,
        )


def _there(found: Tenant | None, name: str) -> Tenant:
    if found is None:
        raise TenantNotFoundError(name)
    about_tenant(name)
    return found


class _Reasoned(Protocol):
    @property
    def reason(self) -> str: ...


def _audit_action(word: str, name: str, action: _Reasoned, actor: str, detail: dict[str, Any]) -> AuditAction:
    return AuditAction(actor=actor, action=word, subject=tenant_subject(name), reason=action.reason, detail=detail)


def _matches(row: TenantRow, query: TenantQuery) -> bool:
    if query.plan is not None and row.plan != query.plan:
        return False
    if row.state is TenantState.STANDBY and query.state is None:
        return False
    if query.state is not None and row.state is not query.state:
        return False
    needle = query.search.strip().casefold()
    texts = (row.name, row.slug or "", row.display_name, row.owner_email or "", row.id)
    return not needle or any(needle in text.casefold() for text in texts)


def _is_one_of(row: TenantRow, only: Only | None, now: datetime) -> bool:
    """Whether it wants a look for this reason."""
    match only:
        case None:
            return True
        case Only.UNCONFIRMED:
            return row.owner_email is not None and not row.owner_confirmed
        case Only.TRIAL_ENDING:
            return row.trial_ends_at is not None and now < row.trial_ends_at <= now + TRIAL_SOON


def _sort_value(row: TenantRow, key: SortKey) -> str | datetime:
    if key == "created_at":
        return row.created_at or _LATEST
    if key == "trial_ends_at":
        return row.trial_ends_at or _LATEST
    return str(getattr(row, key))
