"""Decisions about billing: who has access, what changes at a Tenant, what its owner is told. No I/O.

All of it follows from the provider's present state, never from the order in which its messages came.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

from vivero_core.model.constants import SuspensionReason
from vivero_core.model.tenant import Tenant

from vivero_control.domain.billing.schemas import (
    Account,
    Invoice,
    InvoiceStatus,
    Subscription,
    SubscriptionStatus,
)
from vivero_control.domain.tenants.policies import LIFTED_BY_PAYMENT, Patch
from vivero_control.domain.webhooks.policies import Happening
from vivero_control.domain.webhooks.schemas import EventType

PAUSED_MESSAGE: Final = "The subscription of this workspace is paused. Its data is kept."
ENDED_MESSAGE: Final = "The subscription of this workspace has ended. Its data is kept."


class Access(StrEnum):
    """What a subscription means for the workspace."""

    OPEN = "open"
    CLOSED = "closed"
    UNDECIDED = "undecided"
    """Nothing was paid yet: the workspace stays as it is."""


def access(status: SubscriptionStatus) -> Access:
    """No clock of ours is asked: how long a failed payment is tried again is the provider's to say."""
    match status:
        case SubscriptionStatus.TRIALING | SubscriptionStatus.ACTIVE | SubscriptionStatus.PAST_DUE:
            return Access.OPEN
        case SubscriptionStatus.UNPAID | SubscriptionStatus.PAUSED | SubscriptionStatus.CANCELED:
            return Access.CLOSED
        case SubscriptionStatus.INCOMPLETE | SubscriptionStatus.INCOMPLETE_EXPIRED:
            return Access.UNDECIDED


def goes_on(status: SubscriptionStatus) -> bool:
    """Whether it will be charged again without anybody doing anything."""
    return access(status) is Access.OPEN or status is SubscriptionStatus.PAUSED


_WEIGHT: Final = {Access.OPEN: 2, Access.CLOSED: 1, Access.UNDECIDED: 0}


def deciding(subscriptions: Iterable[Subscription]) -> Subscription | None:
    """The one that decides: an open one before an ended one before one that nothing was paid for, then the newest."""
    return max(subscriptions, key=lambda one: (_WEIGHT[access(one.status)], one.created_at, one.id), default=None)


_OVER: Final = frozenset(
    {SubscriptionStatus.INCOMPLETE, SubscriptionStatus.INCOMPLETE_EXPIRED, SubscriptionStatus.CANCELED}
)


def may_buy(subscriptions: Iterable[Subscription]) -> bool:
    """Whether another subscription would be the only one: what is open goes on, and what is unpaid is paid instead."""
    return all(one.status in _OVER for one in subscriptions)


def patch(tenant: Tenant, subscription: Subscription | None) -> Patch:
    """What has to change at the Tenant; empty when nothing has.

    An ended subscription closes a workspace that is still on its plan: one that staff have moved to another plan is
    paid for in another way.
    """
    if subscription is None or tenant.is_spare or tenant.metadata.deletion_timestamp is not None:
        return {}
    spec, suspended = tenant.spec, tenant.spec.suspended
    match access(subscription.status):
        case Access.OPEN:
            plan: Patch = {} if spec.plan == subscription.plan else {"plan": subscription.plan, "trialEndsAt": None}
            return plan | ({"suspended": None} if suspended and suspended.reason in LIFTED_BY_PAYMENT else {})
        case Access.CLOSED if spec.plan == subscription.plan:
            reason, message = _closed_for(subscription.status)
            standing = suspended.reason if suspended else None
            replaced = {None, *_OF_SUBSCRIPTIONS} - {reason}
            return {"suspended": {"reason": str(reason), "message": message}} if standing in replaced else {}
        case _:
            return {}


_OF_SUBSCRIPTIONS: Final = frozenset({SuspensionReason.UNPAID, SuspensionReason.SUBSCRIPTION_PAUSED})
"""Reasons for which a subscription closes a workspace: one takes the place of the other."""


def _closed_for(status: SubscriptionStatus) -> tuple[SuspensionReason, str]:
    if status is SubscriptionStatus.PAUSED:
        return SuspensionReason.SUBSCRIPTION_PAUSED, PAUSED_MESSAGE
    return SuspensionReason.UNPAID, ENDED_MESSAGE


def charge(invoice: Invoice) -> str | None:
    """What an invoice charges for; None where it charges nothing (any more)."""
    if invoice.subscription is None or invoice.status in {InvoiceStatus.DRAFT, InvoiceStatus.VOID}:
        return None
    return f"{invoice.subscription}:{invoice.period_start:%Y%m%dT%H%M%SZ}:{invoice.kind}"


def charges(invoices: Iterable[Invoice]) -> dict[str, str | None]:
    """What each charges for, by its id; the first of two that charge for the same is the one that does."""
    holders: dict[str, str] = {}
    for one in sorted(invoices, key=lambda each: (each.created_at, each.id)):
        if key := charge(one):
            holders.setdefault(key, one.id)
    return {one.id: key if (key := charge(one)) and holders[key] == one.id else None for one in invoices}


class Difference(StrEnum):
    """What the hourly comparison looks for."""

    CHARGED_TWICE = "charged-twice"
    """Two invoices for the same time."""
    TWO_SUBSCRIPTIONS = "two-subscriptions"
    """Two that are open at once."""
    SUBSCRIPTION = "subscription"
    """Ours was not as the provider's."""
    INVOICE = "invoice"
    """Ours was not as the provider's."""
    ACCESS = "access"
    """The Tenant's plan or suspension was not as the subscription has it."""
    NO_WORKSPACE = "no-workspace"
    """A subscription is open, and its workspace is gone."""
    BESIDE_CONTRACT = "beside-contract"
    """A subscription is open, and a contract is in force for the same workspace."""


FOR_PEOPLE: Final = frozenset(
    {
        Difference.CHARGED_TWICE,
        Difference.TWO_SUBSCRIPTIONS,
        Difference.NO_WORKSPACE,
        Difference.BESIDE_CONTRACT,
    }
)
"""What is only told: money is moved by people."""


def conflicts(account: Account) -> dict[Difference, str]:
    """What is wrong with the provider's own state, with the names of the objects."""
    charges = Counter(key for one in account.invoices if (key := charge(one)))
    twice = [one.id for one in account.invoices if charges.get(charge(one) or "", 0) > 1]
    live = [one.id for one in account.subscriptions if access(one.status) is Access.OPEN]
    found = {Difference.CHARGED_TWICE: twice, Difference.TWO_SUBSCRIPTIONS: live if len(live) > 1 else []}
    return {what: ", ".join(sorted(ids)) for what, ids in found.items() if ids}


class Notice(StrEnum):
    """What the owner is told of a subscription."""

    STARTED = "started"
    PAYMENT_FAILED = "payment-failed"
    RESUMED = "resumed"
    PAUSE_PLANNED = "pause-planned"
    PAUSE_TAKEN_BACK = "pause-taken-back"
    PAUSED = "paused"
    UNPAUSED = "unpaused"
    ENDED = "ended"


_PAID: Final = frozenset({SubscriptionStatus.TRIALING, SubscriptionStatus.ACTIVE})


def notice(before: Subscription | None, after: Subscription) -> Notice | None:
    """What a subscription that was last seen in one state, and is now in another, is to be told of."""
    told = _of_status(before.status if before else None, after.status)
    if told is not None:
        return told
    was_agreed, is_agreed = (one is not None and one.paused_from is not None for one in (before, after))
    if was_agreed == is_agreed:
        return None
    return Notice.PAUSE_PLANNED if is_agreed else Notice.PAUSE_TAKEN_BACK


def _of_status(before: SubscriptionStatus | None, after: SubscriptionStatus) -> Notice | None:
    if after is SubscriptionStatus.PAUSED:
        return Notice.PAUSED if before is not after else None
    if after in _PAID and before is SubscriptionStatus.PAUSED:
        return Notice.UNPAUSED
    if after in _PAID and before not in _PAID:
        known = before is not None and access(before) is not Access.UNDECIDED
        return Notice.RESUMED if known else Notice.STARTED
    if after is SubscriptionStatus.PAST_DUE and before is not after:
        return Notice.PAYMENT_FAILED
    if before is not None and goes_on(before) and access(after) is Access.CLOSED:
        return Notice.ENDED
    return None


def payments(ours: Account, theirs: Account) -> list[Happening]:
    """What other programs are told of a customer that was last seen in one state, and is now in another."""
    before = {one.id: one for one in ours.subscriptions}
    paid = {one.id for one in ours.invoices if one.status is InvoiceStatus.PAID}
    failed = [
        Happening(EventType.PAYMENT_FAILED, {"subscription": one.id})
        for one in theirs.subscriptions
        if notice(before.get(one.id), one) is Notice.PAYMENT_FAILED
    ]
    return failed + [
        Happening(
            EventType.PAID,
            {"invoice": one.number or one.id, "cents": one.total_cents, "currency": one.currency.upper()},
        )
        for one in sorted(theirs.invoices, key=lambda each: (each.created_at, each.id))
        if one.status is InvoiceStatus.PAID and one.total_cents > 0 and one.id not in paid
    ]


def differing(ours: Sequence[Subscription | Invoice], theirs: Sequence[Subscription | Invoice]) -> list[str]:
    """Names of the objects that one side has in another form, or not at all."""
    here, there = {one.id: one for one in ours}, {one.id: one for one in theirs}
    return sorted(name for name in here.keys() | there.keys() if here.get(name) != there.get(name))
