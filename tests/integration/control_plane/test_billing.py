"""Billing on the real database and API server, with the stand-in of Stripe: from the order to the open workspace."""

import asyncio
import dataclasses
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from integration.control_plane.support import DOMAIN, Names, TestClock, listening, make_workspace
from support.payments import WEBHOOK_SECRET, Payments
from vivero_control import composition
from vivero_control.domain.billing.errors import SubscribedAlreadyError
from vivero_control.domain.billing.repository import AccountRepository
from vivero_control.domain.billing.schemas import Account, Interval
from vivero_control.domain.billing.service import BillingService
from vivero_control.domain.billing.stripe import Stripe
from vivero_control.domain.billing.synchronisation import Synchroniser
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_control.settings import Settings
from vivero_control.worker import Worker
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.resources import TENANT
from vivero_core.model.tenant import Tenant
from vivero_dev.payments.ledger import DAY
from vivero_dev.payments.webhooks import signature
from vivero_web.errors import InvalidInputError

Ask = Callable[..., list[tuple[Any, ...]]]
Mails = Callable[[str], list[dict[str, Any]]]
BACK = f"https://{DOMAIN}:8443/account"
TRIAL_OVER = {"reason": "TrialEnded", "message": "Over."}


@pytest.fixture
def billing(sold: composition.Infrastructure) -> BillingService:
    return composition.services(sold).billing


@pytest.fixture
def synchroniser(sold: composition.Infrastructure) -> Synchroniser:
    made = composition.synchroniser(sold)
    assert made
    return made


@pytest.fixture
async def trial(names: Names, kube: KubeClient) -> Tenant:
    """A workspace whose trial has ended."""
    ended = datetime.now(UTC) - timedelta(hours=1)
    return await make_workspace(kube, names.new(), ended, suspended=TRIAL_OVER)


@pytest.fixture
def spec(kube: KubeClient, trial: Tenant) -> Callable[[], Awaitable[tuple[str, str | None, datetime | None]]]:
    """Plan, reason of suspension and end of the trial, as they are now."""

    async def read() -> tuple[str, str | None, datetime | None]:
        found = Tenant.parse(await kube.get(TENANT, trial.name)).spec
        return found.plan, found.suspended.reason if found.suspended else None, found.trial_ends_at

    return read


@pytest.fixture
def customer(sql: Ask, trial: Tenant) -> Callable[[], UUID]:
    """The id of the row."""
    return lambda: UUID(sql("SELECT id FROM billing_customers WHERE tenant_uid = %s", trial.metadata.uid)[0][0])


async def buy(billing: BillingService, tenant: Tenant, standin: Payments, card: str = "pays") -> None:
    page = await billing.checkout(tenant, "starter", Interval.MONTH, BACK)
    answer = await asyncio.to_thread(standin.pay, page, card)
    assert answer.status_code == 303, answer.text


async def tell(billing: BillingService, events: list[dict[str, Any]], clock: TestClock) -> None:
    """What the provider's webhooks say."""
    for event in events:
        body = json.dumps(event).encode()

        async def read(sent: bytes = body) -> bytes:
            return sent

        await billing.receive(signature(WEBHOOK_SECRET, body, int(clock().timestamp())), read)


async def work(sold: composition.Infrastructure) -> None:
    """All jobs, and the mails that follow from them."""
    for _ in range(2):
        await Worker(sold).drain()


def subjects(mails: Mails, tenant: Tenant) -> list[str]:
    return sorted(one["subject"] for one in mails(f"owner@{tenant.name}.example.com"))


async def test_from_an_ended_trial_to_a_plan_through_a_failed_payment_and_back(
    billing: BillingService,
    sold: composition.Infrastructure,
    trial: Tenant,
    standin: Payments,
    spec: Callable[[], Awaitable[tuple[str, str | None, datetime | None]]],
    clock: TestClock,
    mails: Mails,
    sql: Ask,
) -> None:
    events = standin.ledger.events
    await buy(billing, trial, standin, "fails-later")
    assert await spec() == ("trial", "TrialEnded", trial.spec.trial_ends_at)
    await tell(billing, events, clock)
    await work(sold)
    assert await spec() == ("starter", None, None)
    assert subjects(mails, trial) == ["Your Vivero plan has started"]
    view = await billing.of_tenant(trial.metadata.uid)
    assert [(one.status, one.paid_cents) for one in view.invoices] == [("paid", 200_000)]

    said = len(events)
    standin.ledger.advance(32 * DAY)
    await tell(billing, events[said:], clock)
    await work(sold)
    assert await spec() == ("starter", None, None), "a failed payment closes nothing"
    assert subjects(mails, trial)[1:] == ["Your payment for Vivero failed"]

    said = len(events)
    standin.ledger.advance(30 * DAY)
    await tell(billing, events[said:], clock)
    await work(sold)
    assert await spec() == ("starter", "Unpaid", None)
    assert "Your Vivero subscription has ended" in subjects(mails, trial)

    said = len(events)
    owed = (await billing.of_tenant(trial.metadata.uid)).invoices[0]
    assert owed.page_url
    await asyncio.to_thread(standin.pay, owed.page_url)
    await tell(billing, events[said:], clock)
    await work(sold)
    assert await spec() == ("starter", None, None)
    assert len(subjects(mails, trial)) == 4
    assert [one.status for one in (await billing.of_tenant(trial.metadata.uid)).invoices] == ["paid", "paid"]
    told = sql("SELECT type FROM tenant_events WHERE tenant_uid = %s ORDER BY sequence", trial.metadata.uid)
    assert [one for (one,) in told] == ["tenant.paid", "tenant.payment_failed", "tenant.paid"]


async def test_many_at_once_make_one_invoice_one_change_and_one_mail(
    billing: BillingService,
    synchroniser: Synchroniser,
    trial: Tenant,
    standin: Payments,
    customer: Callable[[], UUID],
    sql: Ask,
    spec: Callable[[], Awaitable[tuple[str, str | None, datetime | None]]],
) -> None:
    await buy(billing, trial, standin)
    await asyncio.gather(*(synchroniser.apply(customer()) for _ in range(8)))
    assert await spec() == ("starter", None, None)
    assert len((await billing.of_tenant(trial.metadata.uid)).invoices) == 1
    done = sql("SELECT action, outcome FROM audit WHERE subject = %s", f"tenant/{trial.name}")
    assert done == [("follow-subscription", "done")]
    assert sql("SELECT COUNT(*) FROM outbox WHERE subject = %s", f"tenant/{trial.name}") == [(1,)]


class KilledError(Exception):
    """The worker ends here."""


@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize(
    ("owner", "method"),
    [(Stripe, "account"), (TenantRepository, "find"), (AccountRepository, "replace"), (TenantRepository, "patch")],
)
async def test_a_worker_that_is_killed_loses_nothing_and_does_nothing_twice(
    owner: type,
    method: str,
    behind: bool,  # noqa: FBT001  a column of the table
    billing: BillingService,
    synchroniser: Synchroniser,
    trial: Tenant,
    standin: Payments,
    customer: Callable[[], UUID],
    spec: Callable[[], Awaitable[tuple[str, str | None, datetime | None]]],
    sql: Ask,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await buy(billing, trial, standin)
    real = getattr(owner, method)

    async def killed(self: Any, *given: Any) -> Any:  # noqa: ANN401  as the method
        if behind:
            await real(self, *given)
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(owner, method, killed)
        with pytest.raises(KilledError):
            await synchroniser.apply(customer())
    assert (await billing.of_tenant(trial.metadata.uid)).invoices == ()
    for _ in range(2):
        await synchroniser.apply(customer())
    assert await spec() == ("starter", None, None)
    assert len((await billing.of_tenant(trial.metadata.uid)).invoices) == 1
    assert sql("SELECT COUNT(*) FROM outbox WHERE subject = %s", f"tenant/{trial.name}") == [(1,)]


async def test_without_a_single_message_the_hourly_comparison_mends_and_tells(
    billing: BillingService,
    synchroniser: Synchroniser,
    trial: Tenant,
    standin: Payments,
    customer: Callable[[], UUID],
    spec: Callable[[], Awaitable[tuple[str, str | None, datetime | None]]],
    sql: Ask,
    kube: KubeClient,
) -> None:
    await buy(billing, trial, standin)

    def told() -> list[str]:
        rows = sql("SELECT what FROM billing_differences WHERE customer_id = %s ORDER BY id", customer().hex)
        return sorted(row[0] for row in rows)

    await synchroniser.compare()
    assert await spec() == ("starter", None, None)
    assert told() == ["access", "invoice", "subscription"]
    await synchroniser.compare()
    assert len(told()) == 3, "nothing is different any more"
    listed = await billing.differences()
    assert sorted((one.tenant, one.what, one.for_people) for one in listed.items) == [
        (trial.name, what, False) for what in told()
    ]
    assert listed.total == 3
    await kube.patch(TENANT, trial.name, {"spec": {"suspended": {"reason": "Unpaid", "message": ""}}})
    await synchroniser.compare()
    assert await spec() == ("starter", None, None)
    assert told() == ["access", "access", "invoice", "subscription"]


async def test_a_second_order_closes_the_page_of_the_first_and_a_second_subscription_is_refused(
    billing: BillingService, trial: Tenant, standin: Payments
) -> None:
    first = await billing.checkout(trial, "starter", Interval.MONTH, BACK)
    second = await billing.checkout(trial, "professional", Interval.YEAR, BACK)
    assert (await asyncio.to_thread(standin.pay, first)).status_code == 400
    assert (await asyncio.to_thread(standin.pay, second)).status_code == 303
    assert len(standin.ledger.customers) == 1
    with pytest.raises(SubscribedAlreadyError):
        await billing.checkout(trial, "starter", Interval.MONTH, BACK)
    (paid,) = standin.ledger.invoices.values()
    assert paid["total"] % 12 == 0


async def test_a_page_that_is_paid_while_another_order_begins_is_seen(
    billing: BillingService, trial: Tenant, standin: Payments, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await billing.checkout(trial, "starter", Interval.MONTH, BACK)
    real = Stripe.expire_checkout

    async def paid_just_before(self: Stripe, checkout_id: str) -> None:
        await asyncio.to_thread(standin.pay, first)
        await real(self, checkout_id)

    monkeypatch.setattr(Stripe, "expire_checkout", paid_just_before)
    with pytest.raises(SubscribedAlreadyError):
        await billing.checkout(trial, "professional", Interval.MONTH, BACK)
    assert len(standin.ledger.subscriptions) == 1


@pytest.mark.parametrize("plan", ["trial", "enterprise", "nothing", ""])
async def test_what_is_not_sold_is_not_sold(
    billing: BillingService, trial: Tenant, standin: Payments, plan: str
) -> None:
    with pytest.raises(InvalidInputError, match="plan"):
        await billing.checkout(trial, plan, Interval.MONTH, BACK)
    assert standin.ledger.customers == {}


async def test_many_orders_at_once_make_one_customer_and_one_page_to_pay_on(
    billing: BillingService, trial: Tenant, standin: Payments
) -> None:
    pages = await asyncio.gather(*(billing.checkout(trial, "starter", Interval.MONTH, BACK) for _ in range(5)))
    paid = [(await asyncio.to_thread(standin.pay, page)).status_code for page in pages]
    assert sorted(paid) == [303, 400, 400, 400, 400]
    assert (len(standin.ledger.customers), len(standin.ledger.subscriptions)) == (1, 1)


async def test_another_tenant_of_the_same_name_is_not_touched(
    billing: BillingService,
    sold: composition.Infrastructure,
    trial: Tenant,
    standin: Payments,
    customer: Callable[[], UUID],
    spec: Callable[[], Awaitable[tuple[str, str | None, datetime | None]]],
    sql: Ask,
) -> None:
    await buy(billing, trial, standin)

    class Other(TenantRepository):
        async def find(self, name: str) -> Tenant | None:
            found = await super().find(name)
            assert isinstance(found, Tenant)
            return found.model_copy(update={"metadata": found.metadata.model_copy(update={"uid": "another"})})

    other = composition.synchroniser(dataclasses.replace(sold, tenants=Other(sold.kube, "vivero-signups")))
    assert other
    await other.compare()
    assert (await spec())[:2] == ("trial", "TrialEnded")
    told = sql("SELECT what FROM billing_differences WHERE customer_id = %s", customer().hex)
    assert ("no-workspace",) in told


async def test_messages_over_http(
    selling: Settings,
    billing: BillingService,
    trial: Tenant,
    standin: Payments,
    clock: TestClock,
    sql: Ask,
) -> None:
    await buy(billing, trial, standin)
    body = json.dumps(standin.ledger.events[-1]).encode()
    moment = int(clock().timestamp())
    with listening(selling, clock) as address, httpx.Client(base_url=address, timeout=20) as client:

        def send(signed: str | None, sent: bytes = body, kind: str = "application/json; charset=utf-8") -> int:
            headers = {"Host": f"{DOMAIN}:8443", "Content-Type": kind}
            if signed is not None:
                headers["Stripe-Signature"] = signed
            return client.post("/api/v1/billing/events", content=sent, headers=headers).status_code

        good = signature(WEBHOOK_SECRET, body, moment)
        assert send(None) == send("") == send("t=1,v1=0") == send(signature("other-secret", body, moment)) == 401
        assert send(good, body + b" ") == send(signature(WEBHOOK_SECRET, body, moment - 301)) == 401
        assert send(good, kind="text/plain") == 415
        assert send(good, b"x" * 300_000) == 413
        queued = "SELECT COUNT(*) FROM outbox WHERE kind = 'billing.apply' AND subject = %s"
        assert sql(queued, f"tenant/{trial.name}") == [(0,)]
        assert [send(good) for _ in range(3)] == [204, 204, 204]
        assert sql(queued, f"tenant/{trial.name}") == [(1,)]


async def test_what_the_provider_does_not_answer_is_tried_again(
    billing: BillingService,
    sold: composition.Infrastructure,
    trial: Tenant,
    standin: Payments,
    clock: TestClock,
    sql: Ask,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await buy(billing, trial, standin)
    await tell(billing, standin.ledger.events[-1:], clock)

    async def away(_: Stripe, customer: str) -> Account:
        del customer
        raise httpx.ConnectError("unplugged")

    state = "SELECT state, attempts FROM outbox WHERE kind = 'billing.apply' AND subject = %s"
    with monkeypatch.context() as patched:
        patched.setattr(Stripe, "account", away)
        await Worker(sold).outbox.drain("billing.apply")
    assert sql(state, f"tenant/{trial.name}") == [("pending", 1)]
