"""Changes of a plan at the provider: what was previewed is what is charged, to the cent, and nothing is half changed."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from support.payments import Payments
from unit.control_plane.test_billing_policies import subscription
from unit.control_plane.test_billing_stripe import BACK, OFFER, bought
from vivero_control.domain.billing.change_rules import (
    MONTHS,
    PREVIEW_FOR,
    Moment,
    check_changeable,
    may_be_agreed_to,
    moment_of,
    reckoned_at,
)
from vivero_control.domain.billing.errors import ChangeNotPossibleError, ProviderRefusedError
from vivero_control.domain.billing.provider import Offer
from vivero_control.domain.billing.schemas import Account, Interval, InvoiceKind, Subscription, SubscriptionStatus
from vivero_control.domain.billing.stripe import Stripe
from vivero_dev.payments.ledger import DAY
from vivero_dev.payments.proration import share

LARGER = structs.replace(OFFER, plan="professional", title="Vivero Professional", amount_cents=500_001)
A_YEAR = structs.replace(OFFER, interval=Interval.YEAR, amount_cents=2_400_000)


async def state(adapter: Stripe, who: str) -> tuple[Account, Subscription]:
    account = await adapter.account(who)
    return account, account.subscriptions[0]


@pytest.mark.parametrize("offer", [LARGER, A_YEAR, structs.replace(LARGER, interval=Interval.YEAR)])
@pytest.mark.parametrize("seconds", [0, 1, 12 * 3600 + 7, 27 * DAY])
async def test_what_was_previewed_is_charged(adapter: Stripe, standin: Payments, offer: Offer, seconds: int) -> None:
    who = await bought(adapter, standin)
    before, current = await state(adapter, who)
    at = current.period_start + timedelta(seconds=seconds)
    cost = await adapter.preview_change(who, current.id, offer, at)
    assert cost.total_cents == sum(line.cents for line in cost.lines)
    assert await adapter.account(who) == before, "a preview changes nothing"
    key = uuid4()
    for _ in range(2):
        await adapter.change_now(key, current.id, offer, at)
    after, changed = await state(adapter, who)
    charged = after.invoices[0]
    assert (len(after.invoices), charged.kind, charged.total_cents) == (2, InvoiceKind.CHANGE, cost.total_cents)
    assert charged.paid_cents == charged.total_cents
    assert (changed.plan, changed.interval, changed.amount_cents) == (offer.plan, offer.interval, offer.amount_cents)
    assert changed.next_plan is None
    if offer.interval is current.interval:
        assert (changed.period_start, changed.period_end) == (current.period_start, current.period_end)
    else:
        assert changed.period_start == at


async def test_a_declined_card_changes_nothing(adapter: Stripe, standin: Payments) -> None:
    who = await bought(adapter, standin, card="fails-later")
    before, current = await state(adapter, who)
    with pytest.raises(ProviderRefusedError, match="card_declined"):
        await adapter.change_now(uuid4(), current.id, LARGER, current.period_start)
    assert await adapter.account(who) == before


async def test_a_smaller_plan_begins_with_the_next_period(adapter: Stripe, standin: Payments) -> None:
    who = await bought(adapter, standin, offer=LARGER)
    _, current = await state(adapter, who)
    await adapter.change_with_period(current.id, OFFER)
    account, planned = await state(adapter, who)
    assert (planned.plan, planned.next_plan, planned.amount_cents) == ("professional", "starter", 200_000)
    assert len(account.invoices) == 1, "nothing is charged or credited now"
    standin.ledger.advance(32 * DAY)
    account, changed = await state(adapter, who)
    assert (changed.plan, changed.next_plan) == ("starter", None)
    assert (account.invoices[0].kind, account.invoices[0].total_cents) == (InvoiceKind.RENEWAL, 200_000)
    await adapter.change_now(uuid4(), changed.id, LARGER, changed.period_start)
    _, again = await state(adapter, who)
    assert (again.plan, again.next_plan) == ("professional", None), "what was planned once is over"


async def test_a_planned_change_is_taken_back_whole(adapter: Stripe, standin: Payments) -> None:
    who = await bought(adapter, standin, offer=LARGER)
    before, current = await state(adapter, who)
    await adapter.change_with_period(current.id, OFFER)
    for _ in range(2):
        await adapter.keep_plan(current.id)
    assert await adapter.account(who) == before
    standin.ledger.advance(32 * DAY)
    account, _ = await state(adapter, who)
    assert account.invoices[0].total_cents == LARGER.amount_cents


async def test_a_promotion_code_makes_the_first_invoice_smaller_and_a_wrong_one_buys_nothing(
    adapter: Stripe, standin: Payments
) -> None:
    who = await adapter.create_customer(uuid4(), email="a@b.co", name="Acme", tenant_uid="uid-1")
    page = await adapter.start_checkout(uuid4(), customer=who, offer=LARGER, return_url=BACK)
    refused = await asyncio.to_thread(httpx.post, page.url, data={"card": "pays", "code": "NO-SUCH"})
    assert "This code is not valid" in refused.text
    assert (await adapter.account(who)).subscriptions == ()
    paid = {"card": "pays", "code": "HALF", "tax_id": "DE123456789"}
    await asyncio.to_thread(httpx.post, page.url, data=paid)
    standin.ledger.advance(32 * DAY)
    account, current = await state(adapter, who)
    assert [one.total_cents for one in account.invoices] == [500_001, 250_000]
    assert current.amount_cents == LARGER.amount_cents
    assert [(one.kind, one.value) for one in await adapter.tax_ids(who)] == [("eu_vat", "DE123456789")]


async def test_a_cancellation_has_its_reason_and_is_taken_back(adapter: Stripe, standin: Payments) -> None:
    who = await bought(adapter, standin)
    _, current = await state(adapter, who)
    await adapter.end_with_period(current.id, ends=True, reason="unused", comment="No time & no Söhne.")
    assert (await state(adapter, who))[1].ends_with_period
    kept = standin.ledger.subscriptions[current.id]["cancellation_details"]
    assert kept == {"feedback": "unused", "comment": "No time & no Söhne."}
    await adapter.end_with_period(current.id, ends=False)
    standin.ledger.advance(40 * DAY)
    assert (await state(adapter, who))[1].status is SubscriptionStatus.ACTIVE


CENTS = st.integers(1, 10_000_000)


@given(st.sampled_from(Interval), st.sampled_from(Interval), CENTS, CENTS, st.booleans())
def test_who_pays_more_gets_it_at_once_and_who_pays_less_when_it_is_used_up(
    before: Interval,
    after: Interval,
    paid: int,
    asked: int,
    same_plan: bool,  # noqa: FBT001  drawn
) -> None:
    current = subscription(SubscriptionStatus.ACTIVE, interval=before, amount_cents=paid)
    offer = structs.replace(OFFER, interval=after, amount_cents=asked, plan="starter" if same_plan else "other")
    found = moment_of(current, offer)
    if found is Moment.NOW:
        assert asked * MONTHS[before] >= paid * MONTHS[after]
    if found is Moment.PERIOD_END:
        assert (asked < paid, before) == (True, after)
    if (before, after) == (Interval.YEAR, Interval.MONTH) or (same_plan and before is after):
        assert found is None


@given(CENTS, st.integers(1, 366 * DAY).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole))))
def test_parts_of_an_amount_are_the_amount(amount: int, parts: tuple[int, int]) -> None:
    part, whole = parts
    both = share(amount, part, whole) + share(amount, whole - part, whole)
    assert abs(both - amount) <= 1
    assert abs(share(amount, part, whole) * whole - amount * part) * 2 <= whole


@pytest.mark.parametrize(
    "odd",
    [
        {"ends_with_period": True},
        {"next_plan": "starter"},
        *({"status": one} for one in SubscriptionStatus if one != "active"),
    ],
)
def test_what_stands_in_the_way_of_a_change_is_named(odd: dict[str, object]) -> None:
    status = SubscriptionStatus(str(odd.pop("status", "active")))
    with pytest.raises(ChangeNotPossibleError):
        check_changeable(subscription(status, **odd))
    with pytest.raises(ChangeNotPossibleError):
        check_changeable(None)


@given(st.integers(-40 * DAY, 40 * DAY), st.integers(-40 * DAY, 40 * DAY))
def test_only_what_was_shown_just_now_can_be_agreed_to(later: int, difference: int) -> None:
    """A moment that is still to come would leave less of the period to pay for."""
    current = subscription(SubscriptionStatus.ACTIVE)
    now = current.period_start + timedelta(seconds=later)
    shown = reckoned_at(current, now)
    assert may_be_agreed_to(current, shown, now)
    at = shown + timedelta(seconds=difference)
    if may_be_agreed_to(current, at, now):
        assert current.period_start <= at <= shown
        assert shown - at <= PREVIEW_FOR


def test_a_change_is_reckoned_from_a_whole_second_of_the_period() -> None:
    current = subscription(SubscriptionStatus.ACTIVE)
    for now in (
        datetime(2020, 1, 1, tzinfo=UTC),
        current.period_start + timedelta(seconds=1.9),
        datetime(2030, 1, 1, tzinfo=UTC),
    ):
        at = reckoned_at(current, now)
        assert current.period_start <= at < current.period_end
        assert at.microsecond == 0
        assert reckoned_at(current, at) == at
