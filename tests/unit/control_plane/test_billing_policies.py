"""What follows from a subscription: access, the Tenant's plan and suspension, notices; whatever messages came when."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.control_plane.builders import NOW, spare, tenant, tenant_body
from vivero_control.domain.billing import policies
from vivero_control.domain.billing.policies import Access, Difference, Notice, access, patch
from vivero_control.domain.billing.schemas import (
    Account,
    Interval,
    Invoice,
    InvoiceKind,
    InvoiceStatus,
    Subscription,
    SubscriptionStatus,
)
from vivero_control.domain.webhooks.schemas import EventType
from vivero_core.model.constants import SuspensionReason
from vivero_core.model.tenant import Tenant

STATUSES = st.sampled_from(SubscriptionStatus)
ENDS = "2026-12-01T00:00:00Z"
PAUSE = {"paused_from": NOW + timedelta(days=30), "paused_until": NOW + timedelta(days=60)}


def subscription(status: SubscriptionStatus, **known: Any) -> Subscription:  # noqa: ANN401  fields of Subscription
    values: dict[str, Any] = {
        "id": "sub_1",
        "plan": "starter",
        "interval": Interval.MONTH,
        "amount_cents": 200_000,
        "currency": "EUR",
        "period_start": NOW,
        "period_end": NOW + timedelta(days=30),
        "ends_with_period": False,
        "created_at": NOW,
    }
    return Subscription(status=status, **(values | known))


def invoice(number: int = 1, **known: Any) -> Invoice:  # noqa: ANN401  fields of Invoice
    values: dict[str, Any] = {
        "id": f"in_{number}",
        "number": f"A-{number}",
        "subscription": "sub_1",
        "status": InvoiceStatus.PAID,
        "kind": InvoiceKind.RENEWAL,
        "total_cents": 200_000,
        "paid_cents": 200_000,
        "currency": "EUR",
        "period_start": NOW,
        "period_end": NOW + timedelta(days=30),
        "created_at": NOW,
        "page_url": None,
        "pdf_url": None,
    }
    return Invoice(**(values | known))


def patched(one: Tenant, changes: dict[str, Any]) -> Tenant:
    """The Tenant after a merge patch of its spec."""
    body = one.model_dump(mode="json", by_alias=True, exclude_none=True)
    spec = body["spec"] | changes
    body["spec"] = {name: value for name, value in spec.items() if value is not None}
    return Tenant.parse(body)


@st.composite
def tenants(draw: st.DrawFn) -> Tenant:
    plan = draw(st.sampled_from(["trial", "starter", "professional", "enterprise"]))
    spec: dict[str, Any] = {"plan": plan} | ({"trialEndsAt": ENDS} if plan == "trial" else {})
    reason = draw(st.none() | st.sampled_from(SuspensionReason))
    if reason:
        spec["suspended"] = {"reason": str(reason), "message": ""}
    return tenant(**spec)


def test_a_failed_payment_alone_closes_nothing() -> None:
    assert access(SubscriptionStatus.PAST_DUE) is Access.OPEN
    assert {one for one in SubscriptionStatus if access(one) is Access.CLOSED} == {"unpaid", "paused", "canceled"}


@given(tenants(), STATUSES)
def test_a_tenant_is_changed_once(one: Tenant, status: SubscriptionStatus) -> None:
    bought = subscription(status)
    assert patch(patched(one, patch(one, bought)), bought) == {}


@given(tenants(), STATUSES)
def test_who_pays_is_in_and_on_the_plan(one: Tenant, status: SubscriptionStatus) -> None:
    after = patched(one, patch(one, subscription(status)))
    if access(status) is Access.OPEN:
        assert after.spec.plan == "starter"
        assert after.spec.trial_ends_at is None
        assert after.spec.suspended is None or after.spec.suspended.reason in {"Abuse", "Manual"}
    elif access(status) is Access.CLOSED:
        assert (after.spec.suspended is not None) or after.spec.plan != "starter"
    else:
        assert after == one


@given(tenants(), STATUSES)
def test_staff_and_abuse_are_not_overruled(one: Tenant, status: SubscriptionStatus) -> None:
    by_hand = patched(one, {"suspended": {"reason": "Abuse", "message": ""}})
    assert "suspended" not in patch(by_hand, subscription(status))


def test_an_ended_subscription_leaves_who_was_moved_to_another_plan() -> None:
    ended = subscription(SubscriptionStatus.CANCELED)
    assert patch(tenant(plan="enterprise"), ended) == {}
    assert patch(tenant(plan="starter"), ended)["suspended"]["reason"] == "Unpaid"


def test_nobody_else_is_touched() -> None:
    paid = subscription(SubscriptionStatus.ACTIVE)
    body = tenant_body()
    body["metadata"]["deletionTimestamp"] = "2026-11-22T11:00:00Z"
    assert patch(spare(), paid) == patch(Tenant.parse(body), paid) == patch(tenant(), None) == {}


@given(st.lists(STATUSES, max_size=6), st.randoms())
def test_the_order_of_subscriptions_decides_nothing(statuses: list[SubscriptionStatus], random: Any) -> None:  # noqa: ANN401  Hypothesis' own
    some = [subscription(one, id=f"sub_{n}", created_at=NOW + timedelta(days=n)) for n, one in enumerate(statuses)]
    chosen = policies.deciding(some)
    shuffled = random.sample(some, len(some))
    assert policies.deciding(shuffled) == chosen
    states = {access(one) for one in statuses}
    for state in (Access.OPEN, Access.CLOSED, Access.UNDECIDED):
        if state in states:
            assert chosen is not None
            assert access(chosen.status) is state
            return
    assert chosen is None


@given(history=st.lists(STATUSES, min_size=1, max_size=12), data=st.data())
def test_messages_in_any_order_end_in_the_same_state(history: list[SubscriptionStatus], data: st.DataObject) -> None:
    """A message says only that something happened: it is answered by the state of the moment in which it is read."""
    at = data.draw(st.lists(st.integers(0, len(history) - 1), max_size=20).map(sorted), label="read at")
    one = tenant(trialEndsAt=ENDS)
    for moment in [*at, len(history) - 1]:  # the last one: the hourly comparison, when all messages are lost
        one = patched(one, patch(one, subscription(history[moment])))
    last = access(history[-1])
    if last is Access.OPEN:
        assert (one.spec.plan, one.spec.suspended) == ("starter", None)
    if last is Access.CLOSED and one.spec.plan == "starter":
        assert one.spec.suspended is not None


@given(STATUSES)
def test_nothing_new_is_no_notice(status: SubscriptionStatus) -> None:
    if status not in {SubscriptionStatus.ACTIVE, SubscriptionStatus.TRIALING}:
        assert policies.notice(subscription(status), subscription(status)) is None
    paused = subscription(SubscriptionStatus.ACTIVE, **PAUSE)
    assert policies.notice(paused, paused) is None


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (None, "active", Notice.STARTED),
        ("incomplete", "active", Notice.STARTED),
        ("active", "past_due", Notice.PAYMENT_FAILED),
        (None, "past_due", Notice.PAYMENT_FAILED),
        ("past_due", "active", Notice.RESUMED),
        ("unpaid", "active", Notice.RESUMED),
        ("past_due", "unpaid", Notice.ENDED),
        ("active", "canceled", Notice.ENDED),
        ("unpaid", "canceled", None),
        ("active", "paused", Notice.PAUSED),
        (None, "paused", Notice.PAUSED),
        ("paused", "paused", None),
        ("paused", "active", Notice.UNPAUSED),
        ("paused", "past_due", Notice.PAYMENT_FAILED),
        ("paused", "canceled", Notice.ENDED),
        (None, "canceled", None),
    ],
)
def test_notices(before: str | None, after: str, said: Notice | None) -> None:
    known = subscription(SubscriptionStatus(before)) if before else None
    assert policies.notice(known, subscription(SubscriptionStatus(after))) is said


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({}, PAUSE, Notice.PAUSE_PLANNED),
        (PAUSE, PAUSE, None),
        (PAUSE, {}, Notice.PAUSE_TAKEN_BACK),
    ],
)
def test_a_pause_that_is_planned_or_taken_back_is_told_once(
    before: dict[str, Any], after: dict[str, Any], said: Notice | None
) -> None:
    then, now = (subscription(SubscriptionStatus.ACTIVE, **one) for one in (before, after))
    assert policies.notice(then, now) is said


@given(tenants(), STATUSES, STATUSES)
def test_why_a_workspace_is_closed_follows_the_subscription(
    one: Tenant, earlier: SubscriptionStatus, later: SubscriptionStatus
) -> None:
    """A plan that is canceled while it is paused closes for another reason than before."""
    before = patched(one, patch(one, subscription(earlier))).spec
    after = patched(one, patch(one, subscription(earlier)))
    after = patched(after, patch(after, subscription(later)))
    if access(later) is not Access.CLOSED or before.plan != "starter" or after.spec.suspended is None:
        return
    if before.suspended is None or before.suspended.reason in {"Unpaid", "SubscriptionPaused"}:
        wanted = "SubscriptionPaused" if later is SubscriptionStatus.PAUSED else "Unpaid"
        assert after.spec.suspended.reason == wanted


def test_what_goes_on_by_itself_is_what_is_paid_or_paused() -> None:
    open_or_paused = {one for one in SubscriptionStatus if access(one) is Access.OPEN} | {SubscriptionStatus.PAUSED}
    assert {one for one in SubscriptionStatus if policies.goes_on(one)} == open_or_paused


def test_one_charge_for_one_time() -> None:
    first, again = invoice(1), invoice(2)
    assert policies.charge(first) == policies.charge(again)
    assert policies.conflicts(Account(invoices=(first, again))) == {Difference.CHARGED_TWICE: "in_1, in_2"}
    for other in (
        invoice(2, status=InvoiceStatus.VOID),
        invoice(2, status=InvoiceStatus.DRAFT),
        invoice(2, subscription=None),
        invoice(2, kind=InvoiceKind.CHANGE),
        invoice(2, period_start=datetime(2026, 12, 22, tzinfo=UTC)),
    ):
        assert policies.conflicts(Account(invoices=(first, other))) == {}


def test_two_that_are_open() -> None:
    live = (subscription(SubscriptionStatus.ACTIVE), subscription(SubscriptionStatus.PAST_DUE, id="sub_2"))
    assert policies.conflicts(Account(subscriptions=live)) == {Difference.TWO_SUBSCRIPTIONS: "sub_1, sub_2"}
    assert policies.conflicts(Account(subscriptions=live[:1])) == {}


def test_what_differs() -> None:
    ours = [invoice(1), invoice(2), invoice(3)]
    theirs = [invoice(1), invoice(2, paid_cents=0), invoice(4)]
    assert policies.differing(ours, theirs) == ["in_2", "in_3", "in_4"]


@given(st.lists(st.sampled_from(InvoiceStatus), max_size=6), st.randoms())
def test_no_two_invoices_charge_for_the_same(statuses: list[InvoiceStatus], random: Any) -> None:  # noqa: ANN401  Hypothesis' own
    some = [invoice(number, status=status) for number, status in enumerate(statuses)]
    shuffled = random.sample(some, len(some))
    assert policies.charges(shuffled) == policies.charges(some)
    held = [key for key in policies.charges(some).values() if key]
    assert len(held) == len(set(held)) == min(1, sum(policies.charge(one) is not None for one in some))


@given(st.lists(st.sampled_from(InvoiceStatus), max_size=4), st.lists(st.sampled_from(InvoiceStatus), max_size=4))
def test_other_programs_are_told_once_of_what_is_paid_newly(
    before: list[InvoiceStatus], after: list[InvoiceStatus]
) -> None:
    ours, theirs = (
        Account(invoices=tuple(invoice(number, status=one) for number, one in enumerate(statuses)))
        for statuses in (before, after)
    )
    told = [one.detail["invoice"] for one in policies.payments(ours, theirs)]
    paid = InvoiceStatus.PAID
    assert told == [
        f"A-{number}" for number, one in enumerate(after) if one is paid and before[number : number + 1] != [paid]
    ]
    assert policies.payments(theirs, theirs) == []


def test_a_credit_is_no_payment_and_a_failed_one_is_told_once() -> None:
    assert policies.payments(Account(), Account(invoices=(invoice(total_cents=0), invoice(2, total_cents=-500)))) == []
    open_, late = (
        Account(subscriptions=(subscription(one),)) for one in (SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE)
    )
    assert [one.type for one in policies.payments(open_, late)] == [EventType.PAYMENT_FAILED]
    assert policies.payments(late, late) == policies.payments(late, open_) == []
