"""Backups and restores for staff: what there is, and orders, which are custom resources that the operator carries out."""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import Any, Final, TypeVar

import msgspec
from vivero_core.model.reading import Unreadable
from vivero_core.model.tenant import Tenant
from vivero_core.model.tenant_backup import TenantBackup, TenantBackupSpec
from vivero_core.model.tenant_restore import AsOfTarget, RestoreTarget, TenantRestore, TenantRestoreSpec
from vivero_web.clock import Clock, in_utc
from vivero_web.errors import FieldError, InvalidInputError

from vivero_control.db.database import Database
from vivero_control.domain.audit.service import AuditAction, AuditService
from vivero_control.domain.backups import policies
from vivero_control.domain.backups.policies import OperationNotFoundError
from vivero_control.domain.backups.repository import OperationDirectory, OperationRepository
from vivero_control.domain.backups.schemas import (
    BackUp,
    BackupView,
    BringBack,
    Overview,
    RestoreView,
    Target,
)
from vivero_control.domain.tenants.directory import TenantDirectory
from vivero_control.domain.tenants.errors import TenantNotFoundError, TenantUnreadableError
from vivero_control.domain.tenants.policies import check_changeable, recovery_of, tenant_subject
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_control.domain.tenants.schemas import Page, RecoveryView
from vivero_control.lib.idempotency import Idempotency, IdempotentOperation

NEWEST: Final = 50
"""How many the page of all tenants lists."""
NEWEST_OF_ONE: Final = 20
"""How many of a kind a tenant's page lists: more than schedules keep."""
BACK_UP: Final = "back-up"
BRING_BACK: Final = "bring-back"
"""Actions of the audit log."""

V = TypeVar("V", bound=BackupView | RestoreView)
Make = Callable[[str, Tenant], Awaitable[V]]
"""Makes the object of this name for the Tenant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupDeps:
    """What the service works with."""

    backups: OperationDirectory[TenantBackup]
    restores: OperationDirectory[TenantRestore]
    new_backups: OperationRepository[TenantBackup]
    new_restores: OperationRepository[TenantRestore]
    directory: TenantDirectory
    tenants: TenantRepository
    audit: AuditService
    idempotency: Idempotency
    database: Database
    clock: Clock


class BackupService:
    """Lists come from the informers; an order is checked on the Tenant as it is now, and audited."""

    def __init__(self, deps: BackupDeps) -> None:
        self._deps = deps

    def backups(self, tenant: str, limit: int, offset: int) -> Page[BackupView]:
        """The newest first. Raises ClusterUnavailableError."""
        return _page(self._backups(tenant), limit, offset)

    def restores(self, tenant: str, limit: int, offset: int) -> Page[RestoreView]:
        """The newest first. Raises ClusterUnavailableError."""
        return _page(self._restores(tenant), limit, offset)

    def backup(self, tenant: str, name: str) -> BackupView:
        """Raises OperationNotFoundError, ClusterUnavailableError."""
        return _named("backup", self._backups(tenant), name)

    def restore(self, tenant: str, name: str) -> RestoreView:
        """Raises OperationNotFoundError, ClusterUnavailableError."""
        return _named("restore", self._restores(tenant), name)

    def overview(self, tenant: str) -> Overview:
        """What the tenant's page shows. Raises ClusterUnavailableError."""
        every = self.operations(tenant)
        backups = [one for one in every if isinstance(one, BackupView)]
        restores = [one for one in every if isinstance(one, RestoreView)]
        ended_backups = [one for one in backups if one.state.ended]
        ended_restores = [one for one in restores if one.state.ended]
        return Overview(
            under_way=tuple(one for one in every if not one.state.ended),
            backups=tuple(ended_backups[:NEWEST_OF_ONE]),
            restores=tuple(ended_restores[:NEWEST_OF_ONE]),
            ended_backups=len(ended_backups),
            ended_restores=len(ended_restores),
            no_bucket=self.no_bucket(),
        )

    def operations(self, tenant: str) -> tuple[BackupView | RestoreView, ...]:
        """Restores, then backups, each the newest first. Raises ClusterUnavailableError."""
        return (*self._restores(tenant), *self._backups(tenant))

    def newest(self) -> tuple[tuple[BackupView | RestoreView, ...], int]:
        """The newest of all tenants' operations, and how many there are. Raises ClusterUnavailableError."""
        found: list[TenantBackup | TenantRestore] = [*self._deps.backups.every(), *self._deps.restores.every()]
        return tuple(map(policies.view, nlargest(NEWEST, found, key=policies.age_key))), len(found)

    def restorable(self, tenant: str) -> tuple[BackupView, ...]:
        """Backups that can be brought back, the newest first. Raises ClusterUnavailableError."""
        return tuple(one for one in self._backups(tenant) if one.restorable)

    def recovery(self, tenant: str) -> RecoveryView | None:
        """Which seconds the operator says can be brought back; None while it has not said."""
        known = self._deps.directory.get(tenant)
        return recovery_of(known) if known else None

    def no_bucket(self) -> bool:
        """Whether the operator says that it has no backup bucket."""
        return policies.has_no_bucket(self._deps.directory.all(), self._deps.backups.under_way())

    async def back_up(
        self, tenant: str, order: BackUp, actor: str, *, idempotency_key: str | None = None
    ) -> BackupView:
        """Ask for a backup; `idempotency_key` as in lib/idempotency.

        Raises:
            TenantNotFoundError, TenantUnreadableError: whose data should that be.
            WrongStateError: a spare's, or one's that is being deleted.
        """

        async def make(name: str, found: Tenant) -> BackupView:
            spec = TenantBackupSpec(tenant=found.name)
            audited = _audited(BACK_UP, found, actor, order.reason, {"backup": name})
            async with self._deps.audit.recording(audited):
                return policies.backup_view(await self._deps.new_backups.create(name, spec.dump()))

        return await self._once((BACK_UP, tenant, order), idempotency_key, make, BackupView)

    async def bring_back(
        self, tenant: str, order: BringBack, actor: str, *, idempotency_key: str | None = None
    ) -> RestoreView:
        """Ask for a restore, into a new Tenant or in place; `idempotency_key` as in lib/idempotency.

        Raises:
            InvalidInputError: naming every wrong field.
            TenantNotFoundError, TenantUnreadableError, WrongStateError: as `back_up`.
        """

        async def make(name: str, found: Tenant) -> RestoreView:
            if errors := self.problems(found.name, order, name):
                raise InvalidInputError.of_all(errors)
            spec = _restore_spec(found.name, order)
            detail = spec.dump() | {"restore": name}
            audited = _audited(BRING_BACK, found, actor, order.reason, detail)
            async with self._deps.audit.recording(audited):
                return policies.restore_view(await self._deps.new_restores.create(name, spec.dump()))

        return await self._once((BRING_BACK, tenant, order), idempotency_key, make, RestoreView)

    async def _once(
        self, order: tuple[str, str, BackUp | BringBack], key: str | None, make: Make[V], kind: type[V]
    ) -> V:
        """Carry out the order (what, of which tenant, how) under its key, or answer as the first time."""
        what, tenant, _ = order

        async def do(operation: IdempotentOperation) -> V:
            found = await self._changeable(tenant)
            view = await make(policies.object_name(found, what, key or secrets.token_hex(16)), found)
            async with self._deps.database.transaction() as session:
                await operation.store(session, msgspec.to_builtins(view))
            return view

        return await self._deps.idempotency.answered(what, key, order, kind, do)

    async def _changeable(self, name: str) -> Tenant:
        found = await self._deps.tenants.find(name)
        if found is None:
            raise TenantNotFoundError(name)
        if isinstance(found, Unreadable):
            raise TenantUnreadableError(name, found.why)
        check_changeable(found)
        return found

    def problems(self, tenant: str, order: BringBack, name: str = "") -> list[FieldError]:
        """Every field at fault; `name` is the object's, which is no reason against itself."""
        target = policies.resolved(order.target)
        found = policies.check(
            msgspec.structs.replace(order, target=target),
            now=self._deps.clock(),
            recovery=self.recovery(tenant),
            restorable={one.name for one in self.restorable(tenant)},
        )
        return found or self._taken(name, target, named=bool(order.target.tenant.strip()))

    def _taken(self, name: str, target: Target, *, named: bool) -> list[FieldError]:
        """What a Tenant has, or another restore that is under way will give to one; a name that nobody typed has no field."""
        if target.in_place or target.as_of:
            return []
        others = [one.spec.target for one in self._deps.restores.under_way() if one.name != name]
        slugs, names = {one.slug for one in others}, {one.tenant for one in others}
        slug_taken = self._deps.directory.has(target.slug) or target.slug in slugs | names
        name_taken = named and (self._deps.directory.has_name(target.tenant) or target.tenant in names)
        return [
            *([policies.taken("target.slug", target.slug)] if slug_taken else []),
            *([policies.taken("target.tenant", target.tenant)] if name_taken else []),
        ]

    def _backups(self, tenant: str) -> list[BackupView]:
        found = sorted(self._deps.backups.of_tenant(tenant), key=policies.age_key, reverse=True)
        return list(map(policies.backup_view, found))

    def _restores(self, tenant: str) -> list[RestoreView]:
        found = sorted(self._deps.restores.of_tenant(tenant), key=policies.age_key, reverse=True)
        return list(map(policies.restore_view, found))


def _page(found: Sequence[V], limit: int, offset: int) -> Page[V]:
    return Page(items=tuple(found[offset : offset + limit]), total=len(found), limit=limit, offset=offset)


def _named(what: str, found: Sequence[V], name: str) -> V:
    view = next((one for one in found if one.name == name), None)
    if view is None:
        raise OperationNotFoundError(what, name)
    return view


def _restore_spec(tenant: str, order: BringBack) -> TenantRestoreSpec:
    time = in_utc(order.time) if order.time else None
    target = policies.resolved(order.target)
    return TenantRestoreSpec(tenant=tenant, backup=order.backup, time=time, target=_into(target))


def _into(target: Target) -> RestoreTarget:
    if target.in_place:
        return RestoreTarget(in_place=True)
    if target.as_of:
        return RestoreTarget(as_of=AsOfTarget())
    return RestoreTarget(tenant=target.tenant, slug=target.slug)


def _audited(action: str, tenant: Tenant, actor: str, reason: str, detail: dict[str, Any]) -> AuditAction:
    return AuditAction(
        actor=actor, action=action, subject=tenant_subject(tenant.name), reason=reason.strip(), detail=detail
    )
