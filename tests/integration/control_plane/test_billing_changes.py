"""Changes of a bought plan on the real database and API server: applied to the workspace, once, as they were agreed to."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from integration.control_plane.support import DOMAIN, Names, make_workspace
from support.payments import Payments
from vivero_control import composition
from vivero_control.domain.billing.change_rules import Moment
from vivero_control.domain.billing.errors import ChangeNotPossibleError, CostChangedError, NothingBoughtError
from vivero_control.domain.billing.schemas import Interval, InvoiceKind
from vivero_control.services import Services
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.resources import TENANT
from vivero_core.model.tenant import Tenant
from vivero_dev.payments.ledger import DAY

Ask = Callable[..., list[tuple[Any, ...]]]
Plan = Callable[[], Awaitable[str]]

WHO = "owner@example.com"


@pytest.fixture
def services(sold: composition.Infrastructure) -> Services:
    return composition.services(sold)


@pytest.fixture
async def workspace(names: Names, kube: KubeClient) -> Tenant:
    return await make_workspace(kube, names.new(), datetime.now(UTC) + timedelta(days=9))


@pytest.fixture
def plan(kube: KubeClient, workspace: Tenant) -> Plan:
    """The Tenant's, as it is now."""

    async def read() -> str:
        return Tenant.parse(await kube.get(TENANT, workspace.name)).spec.plan

    return read


async def buy(services: Services, tenant: Tenant, standin: Payments, what: str) -> None:
    page = await services.billing.checkout(tenant, what, Interval.MONTH, f"https://{DOMAIN}:8443/account")
    await asyncio.to_thread(standin.pay, page)
    await services.billing.refresh(tenant.metadata.uid)


async def test_more_is_there_at_once_and_costs_what_was_shown(
    services: Services, workspace: Tenant, standin: Payments, plan: Plan, sql: Ask
) -> None:
    changes = services.plan_changes
    with pytest.raises(NothingBoughtError):
        await changes.preview(workspace, "professional", Interval.MONTH)
    await buy(services, workspace, standin, "starter")
    assert await plan() == "starter"
    shown = await changes.preview(workspace, "professional", Interval.MONTH)
    assert (shown.moment, await plan()) == (Moment.NOW, "starter")
    wanted = ("professional", Interval.MONTH)
    with pytest.raises(CostChangedError):
        await changes.change(workspace, *wanted, at=shown.at, cents=shown.cost.total_cents - 1, by=WHO)
    with pytest.raises(CostChangedError):
        await changes.change(workspace, *wanted, at=shown.at - timedelta(hours=1), cents=shown.cost.total_cents, by=WHO)
    later = shown.at + timedelta(days=20)
    standing = (await services.billing.of_tenant(workspace.metadata.uid)).subscription
    assert standing is not None
    price = {
        "product": "vivero_professional",
        "unit_amount": shown.offer.amount_cents,
        "recurring": {"interval": "month"},
    }
    change = {
        "items": {"0": {"id": f"si_{standing.id}", "price_data": price}},
        "proration_date": later.timestamp(),
    }
    cheaper = standin.ledger.preview({"subscription": standing.id, "subscription_details": change})
    assert cheaper["total"] < shown.cost.total_cents
    with pytest.raises(CostChangedError):
        await changes.change(workspace, *wanted, at=later, cents=cheaper["total"], by=WHO)
    answers = await asyncio.gather(
        *(changes.change(workspace, *wanted, at=shown.at, cents=shown.cost.total_cents, by=WHO) for _ in range(6)),
        return_exceptions=True,
    )
    assert answers.count(Moment.NOW) == 1
    assert sum(isinstance(one, ChangeNotPossibleError) for one in answers) == 5
    assert await plan() == "professional"
    # Both may be of one second, so neither is sure to be listed first.
    invoices = (await services.billing.of_tenant(workspace.metadata.uid)).invoices
    assert sorted(one.kind for one in invoices) == [InvoiceKind.CHANGE, InvoiceKind.FIRST]
    assert [one.total_cents for one in invoices if one.kind is InvoiceKind.CHANGE] == [shown.cost.total_cents]
    outcomes = sql("SELECT outcome FROM audit WHERE action = 'change-plan' AND subject LIKE %s", f"%{workspace.name}")
    assert sorted(outcome for (outcome,) in outcomes).count("done") == 1


async def test_less_begins_with_the_next_period_and_can_be_taken_back(
    services: Services, workspace: Tenant, standin: Payments, plan: Plan
) -> None:
    changes, uid = services.plan_changes, workspace.metadata.uid
    await buy(services, workspace, standin, "professional")

    async def planned() -> None:
        shown = await changes.preview(workspace, "starter", Interval.MONTH)
        assert (shown.moment, shown.cost.total_cents) == (Moment.PERIOD_END, 0)
        await changes.change(workspace, "starter", Interval.MONTH, at=shown.at, cents=0, by=WHO)

    await planned()
    with pytest.raises(ChangeNotPossibleError, match="planned already"):
        await changes.preview(workspace, "starter", Interval.YEAR)
    await changes.keep(workspace, WHO)
    with pytest.raises(ChangeNotPossibleError):
        await changes.keep(workspace, WHO)
    await planned()
    view = (await services.billing.of_tenant(uid)).subscription
    assert view is not None
    assert (view.plan, view.next_plan, await plan()) == ("professional", "starter", "professional")
    standin.ledger.advance(32 * DAY)
    await services.billing.refresh(uid)
    assert await plan() == "starter"


async def test_a_cancellation_ends_the_plan_with_its_period(
    services: Services, workspace: Tenant, standin: Payments, kube: KubeClient, sql: Ask
) -> None:
    changes, uid = services.plan_changes, workspace.metadata.uid
    await buy(services, workspace, standin, "starter")
    with pytest.raises(ChangeNotPossibleError):
        await changes.resume(workspace, WHO)
    await changes.cancel(workspace, "unused", "", WHO)
    with pytest.raises(ChangeNotPossibleError):
        await changes.cancel(workspace, "unused", "", WHO)
    await changes.resume(workspace, WHO)
    await changes.cancel(workspace, "missing_features", "Gantt charts & Söhne.", WHO)
    said = sql(
        "SELECT reason FROM audit WHERE action = 'cancel-plan' AND outcome = 'done' AND subject LIKE %s ORDER BY id",
        f"%{workspace.name}",
    )
    assert [one for (one,) in said] == [
        "We do not use it enough.",
        "Something that we need is missing. Gantt charts & Söhne.",
    ]
    standin.ledger.advance(32 * DAY)
    await services.billing.refresh(uid)
    suspended = Tenant.parse(await kube.get(TENANT, workspace.name)).spec.suspended
    assert suspended is not None
    assert suspended.reason == "Unpaid"
