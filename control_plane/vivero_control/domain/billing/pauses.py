"""Pausing what was bought: a pause that is agreed on, taken back before it begins, or ended early (ADR 0084).

Nothing of ours remembers a pause, and no clock of ours ends it: it is state at the provider, as a change of plan is.
"""

from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from vivero_core.model.tenant import Tenant
from vivero_web.clock import Clock
from vivero_web.errors import InvalidInputError

from vivero_control.domain.billing import policies
from vivero_control.domain.billing.change_rules import PREVIEW_FOR
from vivero_control.domain.billing.errors import (
    ChangeNotPossibleError,
    CostChangedError,
    PauseChangedError,
)
from vivero_control.domain.billing.held import HeldSubscriptions
from vivero_control.domain.billing.pause_rules import (
    Restart,
    check_pausable,
    check_paused,
    is_planned,
    pause,
)
from vivero_control.domain.billing.schemas import MOST_MONTHS
from vivero_control.domain.billing.service import BillingService


class PlanPauses:
    """`by` is who does it, as the audit log names them."""

    def __init__(self, held: HeldSubscriptions, billing: BillingService, clock: Clock) -> None:
        self._held = held
        self._billing = billing
        self._clock = clock

    async def pause(self, tenant: Tenant, months: int, *, starts_at: datetime, by: str, reason: str = "") -> None:
        """Pause the plan for 1 to MOST_MONTHS months from the end of its period on, which was shown as `starts_at`.

        Raises:
            InvalidInputError: naming `months`.
            ChangeNotPossibleError: it cannot be paused, or not now.
            PauseChangedError: its period ends at another moment.
            UnavailableError: the provider does not answer.
        """
        if not 1 <= months <= MOST_MONTHS:
            raise InvalidInputError.of("months", f"Choose 1 to {MOST_MONTHS} months.")
        told = f"For {months} {'month' if months == 1 else 'months'}. {reason}".strip()
        async with self._held.hold(tenant, by, "pause-plan", told) as held:
            current = check_pausable(held.current, held.account.invoices)
            agreed = pause(current, months)
            if agreed.starts_at != starts_at:
                raise PauseChangedError
            await held.provider.pause(current.id, agreed.starts_at, agreed.ends_at)

    async def take_back(self, tenant: Tenant, by: str, reason: str = "") -> None:
        """A pause that has not begun does not happen.

        Raises:
            ChangeNotPossibleError: none is planned.
            UnavailableError: the provider does not answer.
        """
        told = f"The pause is taken back before it begins. {reason}".strip()
        async with self._held.hold(tenant, by, "take-pause-back", told) as held:
            if held.current is None or not is_planned(held.current):
                raise ChangeNotPossibleError("No pause is planned.")
            await held.provider.take_pause_back(held.current.id)

    async def preview_restart(self, tenant: Tenant) -> Restart:
        """What it would cost to end the pause now; nothing is changed.

        Raises:
            ChangeNotPossibleError: the plan is not paused.
            UnavailableError: the provider does not answer.
        """
        provider = self._held.provider()
        customer = await self._billing.customer_of(tenant)
        current = check_paused(policies.deciding((await provider.account(customer)).subscriptions))
        cost = await provider.preview_restart(customer, current.id)
        return Restart(current=current, at=self._clock().replace(microsecond=0), cost=cost)

    async def restart(self, tenant: Tenant, *, at: datetime, cents: int, by: str) -> None:
        """End the pause: a period begins now, for what was shown. `at` makes two clicks one order.

        Raises:
            CostChangedError: it would cost something else by now, or was looked at too long ago.
            ProviderRefusedError: the payment was declined; nothing has changed.
            As `preview_restart`.
        """
        now = self._clock()
        async with self._held.hold(tenant, by, "end-pause", "The pause ends now.") as held:
            current = check_paused(held.current)
            if not now - PREVIEW_FOR <= at <= now:
                raise CostChangedError
            if (await held.provider.preview_restart(held.customer, current.id)).total_cents != cents:
                raise CostChangedError
            key = uuid5(NAMESPACE_URL, f"{current.id}/end-pause/{at:%Y%m%dT%H%M%SZ}")
            await held.provider.restart_now(key, current.id)
