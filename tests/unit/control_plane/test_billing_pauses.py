"""A pause of a subscription: whole months behind what is paid, nothing charged in them, and an end that is charged."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.payments import Payments
from unit.control_plane.test_billing_changes import A_YEAR, LARGER, state
from unit.control_plane.test_billing_policies import invoice, subscription
from unit.control_plane.test_billing_stripe import OFFER, bought
from vivero_control.domain.billing.change_rules import hindrance as hindrance_of_change
from vivero_control.domain.billing.errors import ChangeNotPossibleError, ProviderRefusedError
from vivero_control.domain.billing.pause_rules import (
    check_pausable,
    check_paused,
    hindrance,
    is_planned,
    pause,
    pauses,
)
from vivero_control.domain.billing.schemas import MOST_MONTHS, Interval, InvoiceStatus, Subscription, SubscriptionStatus
from vivero_control.domain.billing.stripe import Stripe
from vivero_dev.payments.ledger import DAY
from vivero_dev.payments.objects import after

MONTHS = range(1, MOST_MONTHS + 1)
BEGUN = st.integers(
    int(datetime(2023, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2033, 1, 1, tzinfo=UTC).timestamp())
)


def monthly(begun: int, periods: int) -> list[datetime]:
    """The ends of the periods of a subscription, as the provider's calendar has them."""
    starts = [begun, after(begun, "month")]
    while len(starts) < periods + 1:
        starts.append(after(starts[-1], "month", starts[-2]))
    return [datetime.fromtimestamp(one, UTC) for one in starts]


async def agreed(adapter: Stripe, standin: Payments, months: int = 1, card: str = "pays") -> tuple[str, Subscription]:
    """Who has paid a month, and pauses then."""
    who = await bought(adapter, standin, card)
    _, current = await state(adapter, who)
    found = pause(current, months)
    await adapter.pause(current.id, found.starts_at, found.ends_at)
    return who, (await state(adapter, who))[1]


@given(BEGUN, st.integers(0, 14), st.sampled_from(MONTHS))
def test_a_pause_ends_with_a_period_of_the_providers_calendar(begun: int, past: int, months: int) -> None:
    """Also behind a short month: on the 31st, then the 28th, then the 31st again."""
    ends = monthly(begun, past + 1 + months)
    current = subscription(SubscriptionStatus.ACTIVE, period_start=ends[past], period_end=ends[past + 1])
    found = pause(current, months)
    assert (found.starts_at, found.ends_at) == (ends[past + 1], ends[past + 1 + months])


def test_one_to_three_months_can_be_chosen() -> None:
    current = subscription(SubscriptionStatus.ACTIVE)
    found = pauses(current)
    assert [one.months for one in found] == [1, 2, 3]
    assert {one.starts_at for one in found} == {current.period_end}
    assert len({one.ends_at for one in found}) == 3


@pytest.mark.parametrize("months", MONTHS)
async def test_nothing_is_charged_in_a_pause_and_it_ends_by_itself(
    adapter: Stripe, standin: Payments, months: int
) -> None:
    who, planned = await agreed(adapter, standin, months)
    assert (planned.status, is_planned(planned)) == (SubscriptionStatus.ACTIVE, True)
    starts, ends = planned.paused_from, planned.paused_until
    assert starts == planned.period_end
    assert ends is not None
    seen = {SubscriptionStatus.ACTIVE: 0, SubscriptionStatus.PAUSED: 0}
    while standin.ledger.now() < ends.timestamp() - DAY:
        standin.ledger.advance(DAY)
        _, current = await state(adapter, who)
        is_paused = starts.timestamp() <= standin.ledger.now() < ends.timestamp()
        assert (current.status is SubscriptionStatus.PAUSED) is is_paused
        assert (current.paused_from, current.paused_until) == (starts, ends)
        seen[current.status] += 1
    assert all(seen.values())
    standin.ledger.advance(2 * DAY)
    account, current = await state(adapter, who)
    assert (current.status, current.paused_until) == (SubscriptionStatus.ACTIVE, None)
    assert current.period_start == ends
    paid, *void, first = account.invoices
    assert (paid.status, paid.period_start, paid.total_cents) == (InvoiceStatus.PAID, ends, OFFER.amount_cents)
    assert [one.status for one in void] == [InvoiceStatus.VOID] * months
    assert first.status is InvoiceStatus.PAID
    assert sum(one.paid_cents for one in account.invoices) == 2 * OFFER.amount_cents


async def test_a_pause_that_has_not_begun_is_taken_back_whole(adapter: Stripe, standin: Payments) -> None:
    who = await bought(adapter, standin)
    before, current = await state(adapter, who)
    found = pause(current, 3)
    await adapter.pause(current.id, found.starts_at, found.ends_at)
    for _ in range(2):
        await adapter.take_pause_back(current.id)
    assert await adapter.account(who) == before
    standin.ledger.advance(32 * DAY)
    account, current = await state(adapter, who)
    assert (current.status, account.invoices[0].status) == (SubscriptionStatus.ACTIVE, InvoiceStatus.PAID)


async def test_the_early_end_of_a_pause_costs_what_was_shown_and_begins_a_period(
    adapter: Stripe, standin: Payments
) -> None:
    who, _ = await agreed(adapter, standin, 2)
    standin.ledger.advance(40 * DAY)
    before, current = await state(adapter, who)
    cost = await adapter.preview_restart(who, current.id)
    assert cost.total_cents == sum(line.cents for line in cost.lines) == OFFER.amount_cents
    assert await adapter.account(who) == before, "a preview changes nothing"
    key = uuid4()
    for _ in range(2):
        await adapter.restart_now(key, current.id)
    account, current = await state(adapter, who)
    assert (current.status, current.paused_from, current.paused_until) == (SubscriptionStatus.ACTIVE, None, None)
    assert len(account.invoices) == len(before.invoices) + 1, "two clicks are one order"
    charged = account.invoices[0]
    assert (charged.total_cents, charged.status) == (cost.total_cents, InvoiceStatus.PAID)
    assert (charged.period_start, charged.period_end) == (current.period_start, current.period_end)
    assert abs(current.period_start.timestamp() - standin.ledger.now()) < 60
    standin.ledger.advance(32 * DAY)
    account, current = await state(adapter, who)
    assert account.invoices[0].status is InvoiceStatus.PAID, "renewals are charged again"


async def test_a_declined_card_leaves_the_pause_as_it_is(adapter: Stripe, standin: Payments) -> None:
    who, _ = await agreed(adapter, standin, card="fails-later")
    standin.ledger.advance(32 * DAY)
    before, current = await state(adapter, who)
    with pytest.raises(ProviderRefusedError, match="card_declined"):
        await adapter.restart_now(uuid4(), current.id)
    assert await adapter.account(who) == before
    assert current.status is SubscriptionStatus.PAUSED
    standin.ledger.advance(32 * DAY)
    assert (await state(adapter, who))[1].status is SubscriptionStatus.PAST_DUE, "its end is a renewal like others"


async def test_a_plan_that_is_canceled_in_its_pause_ends_without_a_charge(adapter: Stripe, standin: Payments) -> None:
    who, _ = await agreed(adapter, standin)
    standin.ledger.advance(32 * DAY)
    _, current = await state(adapter, who)
    await adapter.end_with_period(current.id, ends=True)
    standin.ledger.advance(40 * DAY)
    account, current = await state(adapter, who)
    assert (current.status, current.paused_until) == (SubscriptionStatus.CANCELED, None)
    assert sum(one.paid_cents for one in account.invoices) == OFFER.amount_cents


STANDING: dict[str, Any] = {
    "paused_from": datetime(2026, 12, 22, tzinfo=UTC),
    "paused_until": datetime(2027, 1, 22, tzinfo=UTC),
}


@pytest.mark.parametrize(
    ("known", "invoices", "words"),
    [
        ({}, (), None),
        ({}, (invoice(1),), None),
        ({}, (invoice(1, status=InvoiceStatus.VOID),), None),
        ({}, (invoice(1, status=InvoiceStatus.OPEN, subscription="sub_2"),), None),
        ({}, (invoice(1, status=InvoiceStatus.OPEN),), "not paid yet"),
        ({}, (invoice(1, status=InvoiceStatus.DRAFT),), "not paid yet"),
        ({"interval": Interval.YEAR}, (), "by the year"),
        ({"ends_with_period": True}, (), "canceled"),
        ({"next_plan": "starter"}, (), "planned already"),
        (STANDING, (), "A pause is agreed on"),
    ],
)
def test_what_comes_before_a_pause(known: dict[str, Any], invoices: tuple[Any, ...], words: str | None) -> None:
    current = subscription(SubscriptionStatus.ACTIVE, **known)
    found = hindrance(current, invoices)
    if words is None:
        assert found is None
        assert check_pausable(current, invoices) is current
        return
    assert found is not None
    assert words in found
    with pytest.raises(ChangeNotPossibleError, match=words):
        check_pausable(current, invoices)


@pytest.mark.parametrize("status", [one for one in SubscriptionStatus if one is not SubscriptionStatus.ACTIVE])
def test_only_a_plan_that_is_paid_is_paused(status: SubscriptionStatus) -> None:
    assert hindrance(subscription(status), ()) is not None


def test_without_a_plan_there_is_nothing_to_pause_or_to_end() -> None:
    with pytest.raises(ChangeNotPossibleError):
        check_pausable(None, ())
    for current in (None, *map(subscription, SubscriptionStatus)):
        if current is None or current.status is not SubscriptionStatus.PAUSED:
            with pytest.raises(ChangeNotPossibleError):
                check_paused(current)
    with pytest.raises(ChangeNotPossibleError, match="cancellation"):
        check_paused(subscription(SubscriptionStatus.PAUSED, ends_with_period=True))


@pytest.mark.parametrize("status", [SubscriptionStatus.ACTIVE, SubscriptionStatus.PAUSED])
def test_a_plan_with_a_pause_is_not_changed(status: SubscriptionStatus) -> None:
    """What a change charges at once would become void with the pause."""
    assert hindrance_of_change(subscription(status, **STANDING)) is not None


@pytest.mark.parametrize("offer", [LARGER, A_YEAR])
async def test_the_stand_in_itself_collects_nothing_while_collection_is_off(
    adapter: Stripe,
    standin: Payments,
    offer: Any,  # noqa: ANN401  an Offer
) -> None:
    who = await bought(adapter, standin, offer=offer)
    _, current = await state(adapter, who)
    later = current.period_end + timedelta(days=1)
    standin.ledger.update_subscription(
        current.id, {"pause_collection": {"behavior": "void", "resumes_at": str(int(later.timestamp()))}}
    )
    standin.ledger.advance(int((current.period_end - current.period_start).total_seconds()) + 60)
    account, current = await state(adapter, who)
    assert (account.invoices[0].status, current.status) == (InvoiceStatus.VOID, SubscriptionStatus.ACTIVE)
