"""Cost, revenue and margin of a tenant by what is known of it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from vivero_control.domain.billing.schemas import Interval, Subscription
from vivero_control.domain.contracts.schemas import ContractState, ContractView
from vivero_control.domain.figures.policies import LIVE
from vivero_control.domain.margins.schemas import CostOf, CostPart, Margin, RevenueOf
from vivero_control.settings import CostSettings

GIB: Final = 2**30
_MONTHS: Final = 12


@dataclass(frozen=True, slots=True)
class Revenue:
    """Of a month, without tax."""

    of: RevenueOf
    cents: int
    currency: str


def part(whole: int, count: int, of: int) -> int:
    """`whole` times `count` / `of` in cents, half a cent up: exact, however large."""
    return (2 * whole * count + of) // (2 * of)


def cost_parts(costs: CostSettings, *, runs: bool, stored_bytes: int | None) -> tuple[CostPart, ...]:
    """`stored_bytes`: None where the workspace does not say it."""
    stored = None if stored_bytes is None else part(costs.storage_gib_cents, stored_bytes, GIB)
    return (
        CostPart(
            of=CostOf.WORKSPACE,
            quantity=int(runs),
            unit_cents=costs.workspace_cents,
            cents=costs.workspace_cents * int(runs),
        ),
        CostPart(of=CostOf.STORAGE, quantity=stored_bytes, unit_cents=costs.storage_gib_cents, cents=stored),
    )


def revenue(contracts: Iterable[ContractView], subscription: Subscription | None, currency: str) -> Revenue:
    """A contract in force decides, as it does about the plan; `currency` is that of nothing."""
    for one in contracts:
        if one.state is ContractState.IN_FORCE:
            cents = part(sum(line.cents for line in one.terms.lines), 1, one.terms.period_months)
            return Revenue(RevenueOf.CONTRACT, cents, str(one.terms.currency))
    if subscription is not None and subscription.status in LIVE:
        months = _MONTHS if subscription.interval is Interval.YEAR else 1
        cents = part(subscription.amount_cents, 1, months)
        return Revenue(RevenueOf.SUBSCRIPTION, cents, subscription.currency.upper())
    return Revenue(RevenueOf.NOTHING, 0, currency)


def margin(parts: tuple[CostPart, ...], found: Revenue, currency: str) -> Margin:
    """Costs are in `currency`; nothing is converted."""
    cost = sum(one.cents or 0 for one in parts)
    is_whole = all(one.cents is not None for one in parts)
    left = found.cents - cost if is_whole and found.currency == currency else None
    return Margin(
        currency=currency,
        parts=parts,
        cost_cents=cost,
        is_whole=is_whole,
        revenue_of=found.of,
        revenue_cents=found.cents,
        revenue_currency=found.currency,
        margin_cents=left,
        share=left / found.cents if left is not None and found.cents else None,
    )
