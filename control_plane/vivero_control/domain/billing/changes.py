"""Changing what was bought: another plan, looked at before; the end of it, and taking that back (ADR 0062).

Each is decided by what the provider has at that moment, under the lock on the customer's row, and applied to the
workspace before the answer.
"""

from datetime import datetime
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from vivero_core.model.tenant import Tenant
from vivero_web.clock import Clock
from vivero_web.errors import InvalidInputError

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
    ChangeNotPossibleError,
    CostChangedError,
)
from vivero_control.domain.billing.held import HeldSubscriptions
from vivero_control.domain.billing.policies import goes_on
from vivero_control.domain.billing.provider import CANCEL_REASONS, Cost, Offer, PaymentProvider
from vivero_control.domain.billing.schemas import Interval, Subscription
from vivero_control.domain.billing.service import BillingService

COMMENT_MAX: Final = 400
"""Beside our words of the reason it fits into an entry of the audit log."""


class PlanChanges:
    """What is done with a plan that is bought; `by` is who does it, as the audit log names them."""

    def __init__(self, held: HeldSubscriptions, billing: BillingService, clock: Clock) -> None:
        self._held = held
        self._billing = billing
        self._clock = clock

    async def preview(self, tenant: Tenant, plan: str, interval: Interval) -> Preview:
        """What a change would cost, and when it would take effect; nothing is changed.

        Raises:
            InvalidInputError: naming `plan` when it is none that is sold.
            ChangeNotPossibleError: it cannot be changed so, or not now.
            UnavailableError: the provider or the cluster does not answer.
        """
        provider, offer = self._held.provider(), self._billing.offer(tenant, plan, interval)
        customer = await self._billing.customer_of(tenant)
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
        async with self._held.hold(tenant, by, "change-plan", f"To {plan}, paid by the {interval}.") as held:
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
        async with self._held.hold(tenant, by, "keep-plan", "The planned change is taken back.") as held:
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
        async with self._held.hold(tenant, by, "cancel-plan", told) as held:
            current = held.current
            if current is None or current.ends_with_period or not goes_on(current.status):
                raise ChangeNotPossibleError("There is no plan to cancel.")
            await held.provider.end_with_period(current.id, ends=True, reason=reason, comment=comment)

    async def resume(self, tenant: Tenant, by: str) -> None:
        """Take the cancellation back.

        Raises:
            ChangeNotPossibleError: the plan is not canceled, or has ended.
            UnavailableError: the provider does not answer.
        """
        async with self._held.hold(tenant, by, "resume-plan", "The cancellation is taken back.") as held:
            current = held.current
            if current is None or not current.ends_with_period or not goes_on(current.status):
                raise ChangeNotPossibleError("No cancellation can be taken back.")
            await held.provider.end_with_period(current.id, ends=False)


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
