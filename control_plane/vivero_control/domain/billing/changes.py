"""Changing what was bought: another plan, looked at before; the end of it, and taking that back (ADR 0062).

Each is decided by what the provider has at that moment, under the lock on the customer's row, and applied to the
workspace before the answer.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Final, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from vivero_core.model.tenant import Tenant
from vivero_web.clock import Clock
from vivero_web.errors import ConflictError, InvalidInputError, UnavailableError

from vivero_control.db.database import Database
from vivero_control.domain.audit.service import AuditAction, AuditService
from vivero_control.domain.billing import policies
from vivero_control.domain.billing.change_rules import (
    Moment,
    Preview,
    check_changeable,
    may_be_agreed_to,
    moment_of,
    reckoned_at,
)
from vivero_control.domain.billing.errors import (
    BillingOffError,
    ChangeNotPossibleError,
    CostChangedError,
    NothingBoughtError,
)
from vivero_control.domain.billing.policies import Access, access
from vivero_control.domain.billing.provider import CANCEL_REASONS, Cost, Offer, PaymentProvider
from vivero_control.domain.billing.repository import CustomerRepository, known, locked
from vivero_control.domain.billing.schemas import Interval, Subscription
from vivero_control.domain.billing.service import BillingService
from vivero_control.domain.tenants.policies import tenant_subject

COMMENT_MAX: Final = 400
"""Beside our words of the reason it fits into an entry of the audit log."""


class _Held(NamedTuple):
    """A customer while its row is locked; `current` is the subscription that decides."""

    provider: PaymentProvider
    customer: str
    current: Subscription | None


class PlanChanges:
    """What is done with a plan that is bought; `by` is who does it, as the audit log names them."""

    def __init__(
        self,
        *,
        database: Database,
        provider: PaymentProvider | None,
        billing: BillingService,
        audit: AuditService,
        clock: Clock,
    ) -> None:
        self._database = database
        self._provider = provider
        self._billing = billing
        self._audit = audit
        self._clock = clock

    async def preview(self, tenant: Tenant, plan: str, interval: Interval) -> Preview:
        """What a change would cost, and when it would take effect; nothing is changed.

        Raises:
            InvalidInputError: naming `plan` when it is none that is sold.
            ChangeNotPossibleError: it cannot be changed so, or not now.
            UnavailableError: the provider or the cluster does not answer.
        """
        provider, offer = self._on(), self._billing.offer(tenant, plan, interval)
        customer = (await self._billing.of_tenant(tenant.metadata.uid)).customer
        if customer is None:
            raise NothingBoughtError
        current = check_changeable(policies.deciding((await provider.account(customer)).subscriptions))
        return await _preview(provider, customer, current, offer, reckoned_at(current, self._clock()))

    async def change(  # noqa: PLR0913  what was looked at, and by whom
        self, tenant: Tenant, plan: str, interval: Interval, *, at: datetime, cents: int, by: str
    ) -> Moment:
        """Make the change that was looked at: `at` and `cents` are what the preview said, `by` is who makes it.

        Raises:
            CostChangedError: it would cost something else by now, or was looked at too long ago.
            ProviderRefusedError: the payment was declined; nothing has changed.
            As `preview`.
        """
        offer, now = self._billing.offer(tenant, plan, interval), self._clock()
        async with self._held(tenant, by, "change-plan", f"To {plan}, paid by the {interval}.") as held:
            current = check_changeable(held.current)
            if not may_be_agreed_to(current, at, now):
                raise CostChangedError
            made = await _preview(held.provider, held.customer, current, offer, at)
            if made.cost.total_cents != cents:
                raise CostChangedError
            if made.moment is Moment.NOW:
                key = uuid5(NAMESPACE_URL, f"{current.id}/{plan}/{interval}/{at:%Y%m%dT%H%M%SZ}")
                await held.provider.change_now(key, current.id, offer, at)
            else:
                await held.provider.change_with_period(current.id, offer)
        return made.moment

    async def keep(self, tenant: Tenant, by: str) -> None:
        """Take a planned change back.

        Raises:
            ChangeNotPossibleError: none is planned.
            UnavailableError: the provider does not answer.
        """
        async with self._held(tenant, by, "keep-plan", "The planned change is taken back.") as held:
            if held.current is None or held.current.next_plan is None:
                raise ChangeNotPossibleError("No change is planned.")
            await held.provider.keep_plan(held.current.id)

    async def cancel(self, tenant: Tenant, reason: str, comment: str, by: str) -> None:
        """End the plan with its period. `reason` is one of CANCEL_REASONS, `comment` what the person adds.

        Raises:
            InvalidInputError: naming `reason` or `comment`.
            ChangeNotPossibleError: there is nothing to cancel.
            UnavailableError: the provider does not answer.
        """
        if reason not in CANCEL_REASONS:
            raise InvalidInputError.of("reason", "Choose the reason that fits best.")
        if len(comment) > COMMENT_MAX:
            raise InvalidInputError.of("comment", f"Must have at most {COMMENT_MAX} characters.")
        told = f"{CANCEL_REASONS[reason]}. {comment}".strip()
        async with self._held(tenant, by, "cancel-plan", told) as held:
            current = held.current
            if current is None or current.ends_with_period or access(current.status) is not Access.OPEN:
                raise ChangeNotPossibleError("There is no plan to cancel.")
            await held.provider.end_with_period(current.id, ends=True, reason=reason, comment=comment)

    async def resume(self, tenant: Tenant, by: str) -> None:
        """Take the cancellation back.

        Raises:
            ChangeNotPossibleError: the plan is not canceled, or has ended.
            UnavailableError: the provider does not answer.
        """
        async with self._held(tenant, by, "resume-plan", "The cancellation is taken back.") as held:
            current = held.current
            if current is None or not current.ends_with_period or access(current.status) is not Access.OPEN:
                raise ChangeNotPossibleError("No cancellation can be taken back.")
            await held.provider.end_with_period(current.id, ends=False)

    @asynccontextmanager
    async def _held(self, tenant: Tenant, by: str, action: str, reason: str) -> AsyncIterator[_Held]:
        """The subscription as the provider has it, while nothing else is done with it; what was done is applied."""
        provider, uid = self._on(), tenant.metadata.uid
        act = AuditAction(actor=by, action=action, subject=tenant_subject(tenant.name), reason=reason, detail={})
        async with self._audit.recording(act), self._database.transaction() as session:
            found = await CustomerRepository(session).get_one_or_none(tenant_uid=uid)
            if found is None:
                raise NothingBoughtError
            customer = known(await locked(session, found.id))
            current = policies.deciding((await provider.account(customer)).subscriptions)
            yield _Held(provider, customer, current)
        # Before the provider's message comes; when that fails, the message brings it.
        with suppress(UnavailableError, ConflictError):
            await self._billing.refresh(uid)

    def _on(self) -> PaymentProvider:
        if self._provider is None:
            raise BillingOffError
        return self._provider


async def _preview(
    provider: PaymentProvider, customer: str, current: Subscription, offer: Offer, at: datetime
) -> Preview:
    moment = moment_of(current, offer)
    if moment is None:
        raise ChangeNotPossibleError("This is the plan that you have, or it begins when the present one has ended.")
    if moment is Moment.PERIOD_END:
        end = current.period_end
        return Preview(offer=offer, moment=moment, at=at, cost=Cost(0), starts_at=end, renews_at=end)
    cost = await provider.preview_change(customer, current.id, offer, at)
    renews = current.period_end if offer.interval is current.interval else None
    return Preview(offer=offer, moment=moment, at=at, cost=cost, starts_at=at, renews_at=renews)
