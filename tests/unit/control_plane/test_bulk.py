"""One order for several tenants: each by itself, and nothing before it is meant."""

from datetime import timedelta
from typing import Any, cast

import pytest
from unit.control_plane.builders import NOW, tenant
from unit.control_plane.test_tenant_actions import AuditList
from vivero_control.domain.audit.service import AuditService
from vivero_control.domain.plans.service import PlanInformer, PlanService
from vivero_control.domain.tenants.bulk import BulkAction, BulkOrder, BulkOrders, Outcome, Target
from vivero_control.domain.tenants.directory import TenantDirectory
from vivero_control.domain.tenants.errors import ClusterUnavailableError
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_control.domain.tenants.service import TenantService
from vivero_core.model.tenant import Tenant
from vivero_web.errors import InvalidInputError

NAMES = ("acme", "closed", "gone", "unreachable")


class Cluster:
    """Of a tenant that serves, one that is suspended, one that is gone, and one that cannot be reached."""

    def __init__(self) -> None:
        self.writes: list[tuple[str, dict[str, Any]]] = []

    async def find(self, name: str) -> Tenant | None:
        if name == "unreachable":
            raise ClusterUnavailableError
        if name == "gone":
            return None
        return tenant(name, suspended={"reason": "Manual"} if name == "closed" else None)

    async def patch(self, read: Tenant, spec: dict[str, Any]) -> Tenant:
        self.writes.append((read.name, spec))
        return tenant(read.name)


def orders(cluster: Cluster, audit: AuditList) -> BulkOrders:
    return BulkOrders(
        TenantService(
            directory=TenantDirectory(),
            repository=cast("TenantRepository", cluster),
            plans=PlanService(PlanInformer()),
            audit=cast("AuditService", audit),
            tenant_url=lambda slug: f"https://{slug}.example.com",
            domain="example.com",
            clock=lambda: NOW,
        )
    )


def order(action: BulkAction, **changes: Any) -> BulkOrder:  # noqa: ANN401  fields of BulkOrder
    targets = [Target(name=name) for name in NAMES]
    return BulkOrder(**{"action": action, "tenants": targets, "reason": "As agreed.", **changes})


@pytest.mark.parametrize(
    ("action", "possible", "spec"),
    [
        (BulkAction.SUSPEND, ["acme"], {"suspended": {"reason": "Manual", "message": ""}}),
        (BulkAction.RESUME, ["closed"], {"suspended": None}),
        (BulkAction.EXTEND, ["acme", "closed"], {"trialEndsAt": "2026-12-02T12:00:00Z"}),
    ],
)
async def test_a_preview_says_what_the_order_does(
    action: BulkAction, possible: list[str], spec: dict[str, Any]
) -> None:
    cluster, audit = Cluster(), AuditList()
    given = order(action, trial_ends_at=NOW + timedelta(days=10))
    seen = await orders(cluster, audit).give(order(action, trial_ends_at=given.trial_ends_at, preview=True), "ada")
    assert [one.name for one in seen.of(Outcome.POSSIBLE)] == possible
    assert (cluster.writes, audit.entries) == ([], [])

    result = await orders(cluster, audit).give(given, "ada")
    assert [one.name for one in result.lines] == list(NAMES), "in their order"
    assert [one.name for one in result.of(Outcome.DONE)] == possible
    assert [one.name for one in result.of(Outcome.REFUSED)] == [one.name for one in seen.of(Outcome.REFUSED)]
    assert cluster.writes == [(name, spec) for name in possible]
    assert audit.entries == [(str(action), "done")] * len(possible)
    assert all(one.message for one in result.lines), "each refusal says why"


async def test_what_has_changed_since_the_preview_is_left_alone() -> None:
    cluster, audit = Cluster(), AuditList()
    stale = order(BulkAction.SUSPEND, tenants=[Target(name="acme", generation=7)])
    (line,) = (await orders(cluster, audit).give(stale, "ada")).lines
    assert (line.outcome, cluster.writes) == (Outcome.REFUSED, [])
    assert "changed meanwhile" in line.message


async def test_an_extension_needs_an_end() -> None:
    with pytest.raises(InvalidInputError) as refused:
        await orders(Cluster(), AuditList()).give(order(BulkAction.EXTEND), "ada")
    assert [one.field for one in refused.value.errors] == ["trial_ends_at"]
