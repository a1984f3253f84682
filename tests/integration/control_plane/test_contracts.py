"""Quotes and contracts on the real database and API server: from a draft to what the workspace has."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from integration.control_plane.agreements import SELLER, YES, newest_link, offer, sent
from integration.control_plane.support import Names, TestClock, make_workspace
from support import good
from vivero_control import composition
from vivero_control.domain.contracts.contracts import ContractService
from vivero_control.domain.contracts.errors import TermsChangedError, WrongQuoteStateError
from vivero_control.domain.contracts.policies import TERMS_VERSION
from vivero_control.domain.contracts.quotes import QuoteService
from vivero_control.domain.contracts.schemas import (
    Acceptance,
    AgreedLimits,
    Attach,
    ContractState,
    QuoteState,
    QuoteView,
    Withdraw,
)
from vivero_control.worker import Worker
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.resources import TENANT
from vivero_core.model.tenant import Tenant, TenantSpec
from vivero_web.errors import InvalidInputError, LinkSpentError

Ask = Callable[..., list[tuple[Any, ...]]]
Mails = Callable[[str], list[dict[str, Any]]]
Later = Callable[[timedelta], None]


@pytest.fixture
async def trial(names: Names, kube: KubeClient) -> Tenant:
    return await make_workspace(kube, names.new(), datetime.now(UTC) + timedelta(days=5))


@pytest.fixture
def spec(kube: KubeClient, trial: Tenant) -> Callable[[], Awaitable[TenantSpec]]:
    async def read() -> TenantSpec:
        return Tenant.parse(await kube.get(TENANT, trial.name)).spec

    return read


async def test_from_a_draft_to_what_the_workspace_has(
    quotes: QuoteService,
    contracts: ContractService,
    contracting: composition.Infrastructure,
    trial: Tenant,
    spec: Callable[[], Awaitable[TenantSpec]],
    mails: Mails,
    sql: Ask,
    clock: TestClock,
) -> None:
    of = offer(clock, tenant=trial.name)
    number, code = await sent(quotes, contracting, mails, of)
    assert (await quotes.opened(code)).state is QuoteState.SENT
    with pytest.raises(InvalidInputError) as wrong:
        await quotes.accept(code, Acceptance(name=" "))
    assert set(wrong.value.by_field) == {"name", "agrees"}
    with pytest.raises(TermsChangedError):
        await quotes.accept(code, Acceptance(name="Grace", agrees=True, terms="1999-01"))

    accepted = await quotes.accept(code, YES)
    assert accepted.state is QuoteState.ACCEPTED
    assert accepted.contract
    await Worker(contracting).drain()
    found = await contracts.get(accepted.contract)
    assert (found.state, found.tenant, found.accepted_by) == (ContractState.IN_FORCE, trial.name, "Grace Hopper")
    assert (found.terms.order_number, found.terms_version) == ("PO-4711", TERMS_VERSION)
    assert found.applied_at
    has = await spec()
    assert (has.plan, has.trial_ends_at) == ("enterprise", None)
    assert has.limits
    assert has.limits.dump() == {"users": 250}
    subject = f"Quote {number} is accepted"
    assert [[mail["subject"] for mail in mails(to)].count(subject) for to in (of.email, SELLER)] == [1, 1]
    acts = [act for (act,) in sql("SELECT action FROM audit WHERE subject = %s ORDER BY id", f"quote/{number}")]
    assert acts == ["make-quote", "send-quote", "accept-quote"]
    assert [one.id for one in await contracts.of_tenant(trial.metadata.uid)] == [found.id]


async def test_what_others_set_is_put_back_and_after_the_end_nothing_is_taken_away(
    quotes: QuoteService,
    contracting: composition.Infrastructure,
    trial: Tenant,
    spec: Callable[[], Awaitable[TenantSpec]],
    kube: KubeClient,
    mails: Mails,
    clock: TestClock,
    later: Later,
) -> None:
    _, code = await sent(quotes, contracting, mails, offer(clock, tenant=trial.name))
    await quotes.accept(code, YES)
    worker = Worker(contracting)
    await worker.drain()
    other = {"spec": {"plan": "starter", "limits": {"users": 1, "records": 7}}}
    await kube.patch(TENANT, trial.name, other)
    await worker.follow_contracts()
    has = await spec()
    assert (has.plan, has.limits.dump() if has.limits else None) == ("enterprise", {"users": 250})
    later(timedelta(days=800))
    await kube.patch(TENANT, trial.name, other)
    await worker.follow_contracts()
    assert (await spec()).plan == "starter"


async def test_it_begins_on_its_first_day(
    quotes: QuoteService,
    contracting: composition.Infrastructure,
    trial: Tenant,
    spec: Callable[[], Awaitable[TenantSpec]],
    mails: Mails,
    clock: TestClock,
    later: Later,
) -> None:
    tomorrow = clock().date() + timedelta(days=1)
    _, code = await sent(quotes, contracting, mails, offer(clock, tenant=trial.name, starts_on=tomorrow))
    await quotes.accept(code, YES)
    worker = Worker(contracting)
    await worker.drain()
    await worker.follow_contracts()
    assert (await spec()).plan == "trial"
    later(timedelta(days=1))
    await worker.drain()
    assert (await spec()).plan == "enterprise"


async def test_many_acceptances_at_once_are_one(
    quotes: QuoteService, contracting: composition.Infrastructure, mails: Mails, sql: Ask, clock: TestClock
) -> None:
    of = offer(clock)
    number, code = await sent(quotes, contracting, mails, of)
    views = await asyncio.gather(*(quotes.accept(code, YES) for _ in range(8)))
    assert len({one.contract for one in views}) == 1
    assert sql("SELECT COUNT(*) FROM contracts WHERE quote_id = %s", number) == [(1,)]
    await Worker(contracting).drain()
    assert [mail["subject"] for mail in mails(of.email)].count(f"Quote {number} is accepted") == 1


async def test_of_acceptance_and_withdrawal_at_once_one_wins(
    quotes: QuoteService, contracting: composition.Infrastructure, mails: Mails, sql: Ask, clock: TestClock
) -> None:
    number, code = await sent(quotes, contracting, mails, offer(clock))
    outcomes = await asyncio.gather(
        quotes.accept(code, YES), quotes.withdraw(number, Withdraw(reason="A mistake."), SELLER), return_exceptions=True
    )
    (won,) = [one for one in outcomes if isinstance(one, QuoteView)]
    assert [type(one) for one in outcomes if not isinstance(one, QuoteView)] == [WrongQuoteStateError]
    made = sql("SELECT COUNT(*) FROM contracts WHERE quote_id = %s", number)
    assert made == [(1 if won.state is QuoteState.ACCEPTED else 0,)]


async def test_a_newer_link_takes_the_place_of_the_one_before_and_one_that_is_too_late_says_so(
    quotes: QuoteService, contracting: composition.Infrastructure, mails: Mails, clock: TestClock, later: Later
) -> None:
    of = offer(clock)
    number, first = await sent(quotes, contracting, mails, of)
    await quotes.send(number, SELLER)
    second = await newest_link(contracting, mails, of.email)
    with pytest.raises(LinkSpentError):
        await quotes.opened(first)
    later(timedelta(days=31))
    assert (await quotes.opened(second)).state is QuoteState.EXPIRED
    for act in (quotes.accept(second, YES), quotes.decline(second, "Too late."), quotes.send(number, SELLER)):
        with pytest.raises(WrongQuoteStateError):
            await act


async def test_what_is_withdrawn_before_its_mail_is_not_mailed(
    quotes: QuoteService, contracting: composition.Infrastructure, mails: Mails, clock: TestClock
) -> None:
    of = offer(clock)
    made = await quotes.make(of, SELLER)
    await quotes.send(made.id, SELLER)
    await quotes.withdraw(made.id, Withdraw(reason="A mistake."), SELLER)
    await Worker(contracting).drain()
    assert mails(of.email) == []


async def test_who_declines_is_asked_for_no_money_and_staff_hear_why(
    quotes: QuoteService, contracting: composition.Infrastructure, mails: Mails, sql: Ask, clock: TestClock
) -> None:
    number, code = await sent(quotes, contracting, mails, offer(clock))
    assert (await quotes.decline(code, "Too much.")).reason == "Too much."
    await Worker(contracting).drain()
    (told,) = [mail for mail in mails(SELLER) if mail["subject"] == f"Quote {number} was declined"]
    assert "Too much." in told["text"]
    assert sql("SELECT COUNT(*) FROM contracts WHERE quote_id = %s", number) == [(0,)]


async def test_a_contract_without_a_workspace_is_attached_to_one_later(
    quotes: QuoteService,
    contracts: ContractService,
    contracting: composition.Infrastructure,
    trial: Tenant,
    spec: Callable[[], Awaitable[TenantSpec]],
    mails: Mails,
    clock: TestClock,
) -> None:
    _, code = await sent(quotes, contracting, mails, offer(clock, limits=AgreedLimits()))
    accepted = await quotes.accept(code, YES)
    assert accepted.contract
    with pytest.raises(InvalidInputError):
        await contracts.attach(accepted.contract, Attach(tenant="no-such-tenant"), SELLER)
    await contracts.attach(accepted.contract, Attach(tenant=trial.name), SELLER)
    await Worker(contracting).drain()
    has = await spec()
    assert (has.plan, has.limits) == ("enterprise", None)


async def test_staff_are_told_once_90_and_once_30_days_before_the_end(
    quotes: QuoteService, contracting: composition.Infrastructure, mails: Mails, clock: TestClock, later: Later
) -> None:
    _, code = await sent(quotes, contracting, mails, offer(clock))
    accepted = await quotes.accept(code, YES)
    worker = Worker(contracting)

    async def told() -> int:
        await worker.contracts.tell_of_ends()
        await worker.contracts.tell_of_ends()
        await worker.drain()
        return sum(mail["subject"].startswith(f"Contract {accepted.contract} ends") for mail in mails(SELLER))

    left = accepted.ends_on - clock().date()
    assert await told() == 0
    later(left - timedelta(days=90))
    assert await told() == 1
    later(left - timedelta(days=29))
    assert await told() == 2


def test_the_api_of_who_does_not_sell_makes_nothing(staff: httpx.Client) -> None:
    answer = staff.post("/api/v1/quotes", json=good.CONTROL_BODIES["POST /api/v1/quotes"])
    assert answer.status_code == 409, answer.text
    assert "invoicing" in answer.json()["detail"]
    assert staff.get("/api/v1/quotes").status_code == 409
    assert staff.get("/api/v1/contracts/999999").status_code == 404
