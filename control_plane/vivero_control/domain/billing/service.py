"""Buying a plan, and what owners and staff see of it. Who has access is decided in `synchronisation.py`."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID, uuid4

from msgspec import Meta, Struct
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_core.model.tenant import Tenant
from vivero_web.clock import Clock
from vivero_web.errors import InvalidInputError

from vivero_control.db.database import Database
from vivero_control.db.tables import OUTBOX_KEY_LENGTH, BillingCheckout, BillingCustomer
from vivero_control.domain.billing import jobs, policies
from vivero_control.domain.billing.change_rules import MONTHS
from vivero_control.domain.billing.errors import (
    BillingOffError,
    NothingBoughtError,
    SignatureError,
    SubscribedAlreadyError,
    UnderContractError,
)
from vivero_control.domain.billing.provider import Offer, PaymentProvider
from vivero_control.domain.billing.repository import (
    AccountRepository,
    CheckoutRepository,
    CustomerRepository,
    DifferenceRepository,
    known,
    locked,
)
from vivero_control.domain.billing.schemas import (
    Account,
    DifferenceList,
    FoundDifference,
    Interval,
    Invoice,
    Subscription,
)
from vivero_control.domain.billing.synchronisation import Synchroniser
from vivero_control.domain.contracts.repository import ContractRepository
from vivero_control.domain.plans.service import PlanService, PlanView
from vivero_control.domain.tenants.policies import tenant_subject
from vivero_control.jobs.repository import OutboxRepository

SHOWN: Final = 100
"""Differences of one list."""


class BillingView(Struct, frozen=True, kw_only=True):
    """What is known of a workspace's payments, as it was applied last."""

    customer: Annotated[
        str | None, Meta(description="The provider's name for the customer; null before the first order.")
    ]
    subscription: Annotated[Subscription | None, Meta(description="The one that decides about access.")]
    invoices: Annotated[tuple[Invoice, ...], Meta(description="The newest first.")]
    applied_at: Annotated[datetime | None, Meta(description="When the provider was last asked.")]


class BillingService:
    """Without a provider nothing can be bought: BillingOffError."""

    def __init__(  # noqa: PLR0913  what it works with, by name
        self,
        *,
        database: Database,
        provider: PaymentProvider | None,
        synchroniser: Synchroniser | None,
        plans: PlanService,
        wake_worker: Callable[[], None],
        clock: Clock,
    ) -> None:
        self._database = database
        self._provider = provider
        self._synchroniser = synchroniser
        self._plans = plans
        self._wake_worker = wake_worker
        self._clock = clock

    @property
    def is_on(self) -> bool:
        """Whether plans are sold here."""
        return self._provider is not None

    def offers(self) -> tuple[PlanView, ...]:
        """The plans that can be bought without talking to anybody, cheapest first."""
        return tuple(plan for plan in self._plans.offered() if is_sold(plan)) if self.is_on else ()

    def offer(self, tenant: Tenant, plan: str, interval: Interval) -> Offer:
        """What this plan costs this workspace. Raises InvalidInputError naming `plan` when it is none that is sold."""
        found = next((one for one in self.offers() if one.name == plan), None)
        if found is None:
            raise InvalidInputError.of("plan", "Choose one of the plans.")
        return offer_of(found, tenant.metadata.uid, interval)

    async def of_tenant(self, tenant_uid: str) -> BillingView:
        """What was applied last."""
        async with self._database.transaction() as session:
            customer = await CustomerRepository(session).get_one_or_none(tenant_uid=tenant_uid)
            account = await AccountRepository(session).read(customer.id) if customer else Account()
        return BillingView(
            customer=customer.provider_id if customer else None,
            subscription=policies.deciding(account.subscriptions),
            invoices=account.invoices,
            applied_at=customer.applied_at if customer else None,
        )

    async def differences(self) -> DifferenceList:
        """What the hourly comparison has found, the newest SHOWN of it."""
        async with self._database.transaction() as session:
            found, total = await DifferenceRepository(session).newest(SHOWN)
        items = tuple(
            FoundDifference(
                tenant=tenant,
                what=row.what,
                detail=row.detail,
                for_people=row.what in policies.FOR_PEOPLE,
                found_at=row.found_at,
            )
            for row, tenant in found
        )
        return DifferenceList(items=items, total=total)

    async def left_to_people(self, since: datetime) -> int:
        """How many of the differences that were found from a moment on only a person can mend."""
        async with self._database.transaction() as session:
            return await DifferenceRepository(session).count_since(policies.FOR_PEOPLE, since)

    async def refresh(self, tenant_uid: str) -> None:
        """Apply the provider's present state, for who comes back from its pages. Raises as `Synchroniser.apply`."""
        async with self._database.transaction() as session:
            customer = await CustomerRepository(session).get_one_or_none(tenant_uid=tenant_uid)
        if customer is not None and self._synchroniser is not None:
            await self._synchroniser.apply(customer.id)

    async def checkout(self, tenant: Tenant, plan: str, interval: Interval, return_url: str) -> str:
        """The address of a page to pay a plan on.

        Raises:
            InvalidInputError: naming `plan` when it is none that is sold.
            SubscribedAlreadyError: a second one would be paid twice.
            UnderContractError: so would one beside a contract.
            UnavailableError: the provider or the cluster does not answer.
        """
        provider, now = self._on(), self._clock()
        offer = self.offer(tenant, plan, interval)
        customer_id = await self._customer(tenant, provider)
        async with self._database.transaction() as session:
            customer = await locked(session, customer_id)
            await self._check_first(session, customer, provider)
            order = BillingCheckout(
                id=uuid4(),
                customer_id=customer_id,
                plan=offer.plan,
                interval=offer.interval,
                amount_cents=offer.amount_cents,
                currency=offer.currency,
                created_at=now,
            )
            made = await provider.start_checkout(order.id, customer=known(customer), offer=offer, return_url=return_url)
            order.provider_id, order.expires_at = made.id, made.expires_at
            await CheckoutRepository(session).add(order)
        return made.url

    async def portal(self, tenant: Tenant, return_url: str) -> str:
        """The address of the provider's page for payment methods and cancelling.

        Raises:
            NothingBoughtError: the provider does not know this customer.
            UnavailableError: the provider does not answer.
        """
        provider = self._on()
        return await provider.portal(await self.customer_of(tenant), return_url=return_url)

    async def customer_of(self, tenant: Tenant) -> str:
        """The provider's name for who pays for it. Raises NothingBoughtError before the first order."""
        customer = (await self.of_tenant(tenant.metadata.uid)).customer
        if customer is None:
            raise NothingBoughtError
        return customer

    async def receive(self, header: str, read_body: Callable[[], Awaitable[bytes]]) -> None:
        """A message of the provider: the customer that it is about is looked at by a job.

        Raises:
            SignatureError: it is not the provider's, or not of now; a body is read only if it may be. Where there is no
                provider, nobody has signed it.
            MalformedError: it is no message.
        """
        provider = self._provider
        if provider is None:
            raise SignatureError
        provider.check_header(header, self._clock())
        event = provider.event(header, await read_body(), self._clock())
        if event.customer is None:
            return
        now = self._clock()
        async with self._database.transaction() as session:
            customer = await CustomerRepository(session).get_one_or_none(provider_id=event.customer)
            if customer is None:
                return
            await OutboxRepository(session).enqueue(
                kind=jobs.APPLY,
                key=f"{jobs.APPLY}:{event.id}"[:OUTBOX_KEY_LENGTH],
                payload={"customer_id": str(customer.id), "tenant": customer.tenant},
                now=now,
                due_at=now,
                subject=tenant_subject(customer.tenant),
            )
        self._wake_worker()

    def _on(self) -> PaymentProvider:
        if self._provider is None:
            raise BillingOffError
        return self._provider

    async def _customer(self, tenant: Tenant, provider: PaymentProvider) -> UUID:
        """The row, whose id is committed first: it is the key under which the provider makes the customer once."""
        async with self._database.transaction() as session:
            customer = await CustomerRepository(session).put(tenant.metadata.uid, tenant.name, self._clock())
        async with self._database.transaction() as session:
            made = await locked(session, customer.id)
            if made.provider_id is None:
                owner = tenant.spec.owner
                made.provider_id = await provider.create_customer(
                    made.id,
                    email=owner.email if owner else "",
                    name=tenant.spec.display_name,
                    tenant_uid=tenant.metadata.uid,
                )
        return customer.id

    async def _check_first(self, session: AsyncSession, customer: BillingCustomer, provider: PaymentProvider) -> None:
        """No subscription beside another: pages of older orders are closed, and then the provider is asked."""
        now = self._clock()
        if await ContractRepository(session).in_force(now.date(), customer.tenant_uid):
            raise UnderContractError
        for older in await CheckoutRepository(session).payable(customer.id, now):
            await provider.expire_checkout(older.provider_id)
            older.expires_at = now
        if not policies.may_buy((await provider.account(known(customer))).subscriptions):
            raise SubscribedAlreadyError


def is_sold(plan: PlanView) -> bool:
    """Whether its price is fixed, and it costs something."""
    return plan.price_cents > 0 and not plan.starting_at


def offer_of(plan: PlanView, tenant_uid: str, interval: Interval) -> Offer:
    """This plan for this workspace, paid so often."""
    return Offer(
        tenant_uid=tenant_uid,
        plan=plan.name,
        title=f"Vivero {plan.display_name}",
        interval=interval,
        amount_cents=plan.price_cents * MONTHS[interval],
        currency=plan.currency,
    )
