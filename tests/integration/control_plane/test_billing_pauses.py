"""A pause on the real database and API server: the workspace closes with its data, and opens by itself or when it is paid."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from integration.control_plane.support import DOMAIN, Names, make_workspace
from support.payments import Payments
from vivero_control import composition
from vivero_control.domain.billing.errors import (
    ChangeNotPossibleError,
    CostChangedError,
    NothingBoughtError,
    PauseChangedError,
)
from vivero_control.domain.billing.schemas import Interval, Subscription, SubscriptionStatus
from vivero_control.services import Services
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.resources import TENANT
from vivero_core.model.tenant import Tenant
from vivero_dev.payments.ledger import DAY
from vivero_web.errors import InvalidInputError

Ask = Callable[..., list[tuple[Any, ...]]]
Read = Callable[[], Awaitable[Any]]

WHO = "owner@example.com"


@pytest.fixture
def services(sold: composition.Infrastructure) -> Services:
    return composition.services(sold)


@pytest.fixture
async def workspace(names: Names, kube: KubeClient) -> Tenant:
    return await make_workspace(kube, names.new(), datetime.now(UTC) + timedelta(days=9))


@pytest.fixture
def closed_for(kube: KubeClient, workspace: Tenant) -> Read:
    """Why the workspace is suspended, as it is now; None while it is open."""

    async def read() -> str | None:
        suspended = Tenant.parse(await kube.get(TENANT, workspace.name)).spec.suspended
        return suspended.reason if suspended else None

    return read


@pytest.fixture
def mailed(sql: Ask, workspace: Tenant) -> Callable[[], set[str]]:
    """Kinds of mails about the subscription that were sent or wait."""

    def read() -> set[str]:
        keys = sql("SELECT `key` FROM outbox WHERE subject LIKE %s", f"%{workspace.name}")
        return {key.split(":")[0].removeprefix("mail.subscription-") for (key,) in keys}

    return read


async def subscription(services: Services, tenant: Tenant) -> Subscription:
    found = (await services.billing.of_tenant(tenant.metadata.uid)).subscription
    assert found is not None
    return found


async def buy(services: Services, tenant: Tenant, standin: Payments, interval: Interval = Interval.MONTH) -> None:
    page = await services.billing.checkout(tenant, "starter", interval, f"https://{DOMAIN}:8443/account")
    await asyncio.to_thread(standin.pay, page)
    await services.billing.refresh(tenant.metadata.uid)


async def pause(services: Services, tenant: Tenant, months: int) -> None:
    starts = (await subscription(services, tenant)).period_end
    await services.plan_pauses.pause(tenant, months, starts_at=starts, by=WHO)


async def test_a_pause_closes_the_workspace_and_opens_it_by_itself(
    services: Services, workspace: Tenant, standin: Payments, closed_for: Read, mailed: Callable[[], set[str]]
) -> None:
    pauses, uid = services.plan_pauses, workspace.metadata.uid
    await buy(services, workspace, standin)
    await pause(services, workspace, 2)
    planned = await subscription(services, workspace)
    assert (planned.status, planned.paused_from, await closed_for()) == (
        SubscriptionStatus.ACTIVE,
        planned.period_end,
        None,
    )
    with pytest.raises(ChangeNotPossibleError, match="agreed on"):
        await pause(services, workspace, 1)
    with pytest.raises(ChangeNotPossibleError, match="not paused"):
        await pauses.preview_restart(workspace)
    with pytest.raises(ChangeNotPossibleError, match="agreed on"):
        await services.plan_changes.preview(workspace, "professional", Interval.MONTH)
    standin.ledger.advance(40 * DAY)
    await services.billing.refresh(uid)
    assert (await subscription(services, workspace)).status is SubscriptionStatus.PAUSED
    assert await closed_for() == "SubscriptionPaused"
    standin.ledger.advance(60 * DAY)
    await services.billing.refresh(uid)
    found = await services.billing.of_tenant(uid)
    assert (await subscription(services, workspace)).status is SubscriptionStatus.ACTIVE
    assert await closed_for() is None
    assert [one.status for one in found.invoices if one.paid_cents == 0] == ["void", "void"]
    assert mailed() >= {"started", "pause-planned", "paused", "unpaused"}


async def test_a_pause_is_ended_early_once_for_what_was_shown(
    services: Services, workspace: Tenant, standin: Payments, closed_for: Read, sql: Ask
) -> None:
    pauses, uid = services.plan_pauses, workspace.metadata.uid
    await buy(services, workspace, standin)
    await pause(services, workspace, 3)
    standin.ledger.advance(40 * DAY)
    await services.billing.refresh(uid)
    shown = await pauses.preview_restart(workspace)
    cents = shown.cost.total_cents
    for at, asked in (
        (shown.at, cents - 1),
        (shown.at - timedelta(hours=1), cents),
        (shown.at + timedelta(hours=1), cents),
    ):
        with pytest.raises(CostChangedError):
            await pauses.restart(workspace, at=at, cents=asked, by=WHO)
    assert await closed_for() == "SubscriptionPaused"
    answers = await asyncio.gather(
        *(pauses.restart(workspace, at=shown.at, cents=cents, by=WHO) for _ in range(4)), return_exceptions=True
    )
    assert answers.count(None) == 1
    assert sum(isinstance(one, ChangeNotPossibleError) for one in answers) == 3
    assert await closed_for() is None
    paid = [one.paid_cents for one in (await services.billing.of_tenant(uid)).invoices if one.paid_cents]
    assert paid == [cents, cents]
    outcomes = sql("SELECT outcome FROM audit WHERE action = 'end-pause' AND subject LIKE %s", f"%{workspace.name}")
    assert [outcome for (outcome,) in outcomes].count("done") == 1


async def test_a_pause_is_taken_back_until_it_begins(
    services: Services, workspace: Tenant, standin: Payments, closed_for: Read
) -> None:
    pauses = services.plan_pauses
    with pytest.raises(NothingBoughtError):
        await pauses.take_back(workspace, WHO)
    await buy(services, workspace, standin)
    with pytest.raises(ChangeNotPossibleError):
        await pauses.take_back(workspace, WHO)
    await pause(services, workspace, 1)
    await pauses.take_back(workspace, WHO)
    await pause(services, workspace, 1)
    standin.ledger.advance(32 * DAY)
    await services.billing.refresh(workspace.metadata.uid)
    with pytest.raises(ChangeNotPossibleError):
        await pauses.take_back(workspace, WHO)
    assert await closed_for() == "SubscriptionPaused"
    await services.plan_changes.cancel(workspace, "unused", "", WHO)
    with pytest.raises(ChangeNotPossibleError, match="cancellation"):
        await pauses.preview_restart(workspace)
    standin.ledger.advance(40 * DAY)
    await services.billing.refresh(workspace.metadata.uid)
    assert await closed_for() == "Unpaid"


async def test_what_was_shown_is_what_is_agreed_on(services: Services, workspace: Tenant, standin: Payments) -> None:
    await buy(services, workspace, standin)
    starts = (await subscription(services, workspace)).period_end
    with pytest.raises(PauseChangedError):
        await services.plan_pauses.pause(workspace, 1, starts_at=starts - timedelta(seconds=1), by=WHO)
    for months in (0, 4, -1):
        with pytest.raises(InvalidInputError):
            await services.plan_pauses.pause(workspace, months, starts_at=starts, by=WHO)
    assert (await subscription(services, workspace)).paused_from is None


async def test_a_year_that_is_paid_is_not_paused(services: Services, workspace: Tenant, standin: Payments) -> None:
    await buy(services, workspace, standin, Interval.YEAR)
    with pytest.raises(ChangeNotPossibleError, match="by the year"):
        await pause(services, workspace, 1)
