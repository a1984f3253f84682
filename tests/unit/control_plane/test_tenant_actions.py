"""Staff actions with write conflicts: retried, with one audit entry."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from unit.control_plane.builders import NOW, tenant
from vivero_control.domain.audit.service import AuditAction, AuditService
from vivero_control.domain.plans.service import PlanInformer, PlanService
from vivero_control.domain.tenants.directory import TenantDirectory
from vivero_control.domain.tenants.errors import TenantChangedError, WrongStateError
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_control.domain.tenants.schemas import Suspend
from vivero_control.domain.tenants.service import ATTEMPTS, TenantService
from vivero_core.model.tenant import Tenant


class BusyRepository:
    """A fake repository whose first `conflicts` writes conflict with another writer."""

    def __init__(self, conflicts: int) -> None:
        self.conflicts = conflicts
        self.writes = 0
        self.spec: dict[str, Any] = {}

    async def find(self, name: str) -> Tenant:
        return tenant(name, **self.spec)

    async def patch(self, read: Tenant, spec: dict[str, Any]) -> Tenant:
        self.writes += 1
        if self.writes <= self.conflicts:
            raise TenantChangedError(read.name)
        self.spec |= spec
        return tenant(read.name, **self.spec)


class AuditList:
    """A fake audit log: the recorded actions and their outcomes."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, str]] = []

    @asynccontextmanager
    async def recording(self, act: AuditAction) -> AsyncIterator[None]:
        try:
            yield
        except TenantChangedError:
            self.entries.append((act.action, "failed"))
            raise
        self.entries.append((act.action, "done"))


def service(repository: BusyRepository, audit: AuditList) -> TenantService:
    return TenantService(
        directory=TenantDirectory(),
        repository=cast("TenantRepository", repository),
        plans=PlanService(PlanInformer()),
        audit=cast("AuditService", audit),
        tenant_url=lambda slug: f"https://{slug}.example.com",
        domain="example.com",
        clock=lambda: NOW,
    )


@pytest.mark.parametrize("conflicts", range(ATTEMPTS))
async def test_an_action_with_write_conflicts_is_retried_and_audited_once(conflicts: int) -> None:
    repository, audit = BusyRepository(conflicts), AuditList()
    await service(repository, audit).suspend("acme", Suspend(reason="abuse seen"), "ana")
    assert repository.spec["suspended"]
    assert repository.writes == conflicts + 1
    assert audit.entries == [("suspend", "done")]


async def test_an_action_that_keeps_conflicting_is_audited_as_failed() -> None:
    repository, audit = BusyRepository(conflicts=ATTEMPTS), AuditList()
    with pytest.raises(TenantChangedError):
        await service(repository, audit).suspend("acme", Suspend(reason="abuse seen"), "ana")
    assert repository.writes == ATTEMPTS
    assert audit.entries == [("suspend", "failed")]


async def test_an_invalid_or_outdated_action_is_not_audited() -> None:
    repository, audit = BusyRepository(conflicts=0), AuditList()
    tenants = service(repository, audit)
    with pytest.raises(TenantChangedError):
        await tenants.suspend("acme", Suspend(reason="abuse seen", generation=99), "ana")
    await tenants.suspend("acme", Suspend(reason="abuse seen"), "ana")
    with pytest.raises(WrongStateError):
        await tenants.suspend("acme", Suspend(reason="again"), "ana")
    assert audit.entries == [("suspend", "done")]
