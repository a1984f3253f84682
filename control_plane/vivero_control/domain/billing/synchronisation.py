"""Applies what the payment provider has of a customer: to our rows, to the Tenant, to what its owner is told (ADR 0055).

It does so when a message came, when a customer comes back from the payment page, and every hour for every customer.
Each time under the lock on the customer's row, which is taken before the provider is asked: what is applied later was
asked later. Killed anywhere, the next run does what is missing.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Final
from uuid import UUID

from prometheus_client import Counter, Gauge
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_core.model.tenant import Tenant
from vivero_web.clock import Clock

from vivero_control.db.database import Database
from vivero_control.domain.audit.service import AuditAction, AuditService
from vivero_control.domain.billing import policies
from vivero_control.domain.billing.policies import Difference
from vivero_control.domain.billing.provider import PaymentProvider
from vivero_control.domain.billing.repository import AccountRepository, CustomerRepository, DifferenceRepository
from vivero_control.domain.billing.schemas import Account, Subscription
from vivero_control.domain.contracts.repository import ContractRepository
from vivero_control.domain.notifications import mails
from vivero_control.domain.notifications.mails import PauseDays
from vivero_control.domain.tenants.following import TenantFollower
from vivero_control.domain.tenants.policies import Patch, tenant_subject
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_control.domain.webhooks import events as webhook_events
from vivero_control.lib.background import for_each

ACTOR: Final = "billing"
logger = logging.getLogger(__name__)

differences = Counter(
    "vivero_control_billing_differences", "What the hourly comparison with the payment provider found", ["what"]
)
for _what in Difference:
    # From zero on: of a series that begins at one, Prometheus sees no increase, and the first one is for a person.
    differences.labels(_what)
compared_at = Gauge("vivero_control_billing_compared_timestamp_seconds", "When that comparison last ended")


class Synchroniser:
    """`account_of` says where the owner of the workspace of a slug manages its plan."""

    def __init__(  # noqa: PLR0913  what it works with, by name
        self,
        *,
        database: Database,
        provider: PaymentProvider,
        tenants: TenantRepository,
        audit: AuditService,
        tenant_url: Callable[[str], str],
        account_of: Callable[[str], str],
        clock: Clock,
    ) -> None:
        self._database = database
        self._provider = provider
        self._follower = TenantFollower(tenants, audit)
        self._tenant_url = tenant_url
        self._account_of = account_of
        self._clock = clock

    async def apply(self, customer_id: UUID) -> None:
        """The provider's present state of one customer.

        Raises:
            UnavailableError: the provider, the cluster or the database does not answer.
            TenantChangedError: others wrote to the Tenant in each of the attempts.
            TenantUnreadableError: a person has to correct it.
        """
        await self._apply(customer_id)

    async def compare(self) -> None:
        """The same for every customer; what was different is counted, logged and kept."""
        async with self._database.transaction() as session:
            known = await CustomerRepository(session).known()
        await for_each("billing", known, self._compare, str)
        compared_at.set(self._clock().timestamp())

    async def _compare(self, customer_id: UUID) -> None:
        found = await self._apply(customer_id)
        if not found:
            return
        async with self._database.transaction() as session:
            await DifferenceRepository(session).note(customer_id, found, self._clock())
        for what, detail in found.items():
            differences.labels(what).inc()
            logger.error(
                "billing differs from the provider: %s", what, extra={"customer": str(customer_id), "detail": detail}
            )

    async def _apply(self, customer_id: UUID) -> dict[Difference, str]:
        """What was different, and is applied now; or is for people."""
        async with self._database.transaction() as session:
            customer = await CustomerRepository(session).locked(customer_id)
            if customer is None or customer.provider_id is None:
                return {}
            theirs = await self._provider.account(customer.provider_id)
            tenant = await self._follower.find(customer.tenant, customer.tenant_uid)
            accounts = AccountRepository(session)
            ours = await accounts.read(customer.id)
            await accounts.replace(customer.id, ours, theirs)
            await self._tell(session, tenant, ours, theirs)
            for one in policies.payments(ours, theirs):
                await webhook_events.tell(session, customer.tenant_uid, customer.tenant, one, self._clock())
            customer.applied_at = self._clock()
            subscription = policies.deciding(theirs.subscriptions)
            by_contract = await ContractRepository(session).in_force(self._clock().date(), customer.tenant_uid)
            changed = {} if by_contract else await self._change(tenant, subscription)
        return (
            policies.conflicts(theirs)
            | found(ours, theirs, changed)
            | _abandoned(tenant, subscription)
            | (_beside_contract(subscription) if by_contract else {})
        )

    async def _tell(self, session: AsyncSession, tenant: Tenant | None, ours: Account, theirs: Account) -> None:
        if tenant is None or tenant.spec.owner is None or tenant.spec.slug is None:
            return
        before: Mapping[str, Subscription] = {one.id: one for one in ours.subscriptions}
        for one in theirs.subscriptions:
            said = policies.notice(before.get(one.id), one)
            if said is None:
                continue
            mail = mails.of_subscription(
                said,
                key=_occasion(one),
                to=tenant.spec.owner.email,
                url=tenant.status.url or self._tenant_url(tenant.spec.slug),
                account_url=self._account_of(tenant.spec.slug),
                pause=_pause_days(one),
            )
            await mails.enqueue(session, mail, self._clock(), subject=tenant_subject(tenant.name))

    async def _change(self, tenant: Tenant | None, of: Subscription | None) -> Patch:
        """What was changed at the Tenant."""
        if tenant is None or of is None:
            return {}
        act = AuditAction(
            actor=ACTOR,
            action="follow-subscription",
            subject=tenant_subject(tenant.name),
            reason=f"The subscription is {of.status}.",
            detail={"subscription": of.id, "status": str(of.status), "plan": of.plan},
        )
        return await self._follower.follow(tenant, lambda found: policies.patch(found, of), act)


def _occasion(of: Subscription) -> str:
    """One mail of a kind for each period, and for each end of a pause that is agreed on in it."""
    moments = [one for one in (of.period_end, of.paused_until) if one is not None]
    return ":".join([of.id, *(f"{one:%Y%m%dT%H%M%SZ}" for one in moments)])


def _pause_days(of: Subscription) -> PauseDays:
    if of.paused_from is None or of.paused_until is None:
        return PauseDays()
    return PauseDays(mails.day(of.paused_from), mails.day(of.paused_until))


def found(ours: Account, theirs: Account, changed: Patch) -> dict[Difference, str]:
    """What was different, with the names of what differed."""
    seen = {
        Difference.SUBSCRIPTION: policies.differing(ours.subscriptions, theirs.subscriptions),
        Difference.INVOICE: policies.differing(ours.invoices, theirs.invoices),
        Difference.ACCESS: sorted(changed),
    }
    return {what: ", ".join(names) for what, names in seen.items() if names}


def _abandoned(tenant: Tenant | None, subscription: Subscription | None) -> dict[Difference, str]:
    gone = tenant is None or tenant.metadata.deletion_timestamp is not None
    return (
        {Difference.NO_WORKSPACE: subscription.id}
        if subscription and policies.goes_on(subscription.status) and gone
        else {}
    )


def _beside_contract(subscription: Subscription | None) -> dict[Difference, str]:
    return (
        {Difference.BESIDE_CONTRACT: subscription.id} if subscription and policies.goes_on(subscription.status) else {}
    )
