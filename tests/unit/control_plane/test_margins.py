"""What a tenant costs and brings: exact cents, and nothing that is not known."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from unit.control_plane.contract_builders import terms
from unit.control_plane.test_billing_policies import subscription
from unit.control_plane_web.contract_fakes import contract
from vivero_control.domain.billing.schemas import Interval, SubscriptionStatus
from vivero_control.domain.contracts.schemas import ContractState, ContractView, QuoteLine
from vivero_control.domain.margins.policies import GIB, Revenue, cost_parts, margin, part, revenue
from vivero_control.domain.margins.schemas import RevenueOf
from vivero_control.settings import CostSettings

COSTS = CostSettings(workspace_cents=900, storage_gib_cents=12)
NOTHING = Revenue(RevenueOf.NOTHING, 0, "EUR")


@given(st.integers(0, 10**9), st.integers(0, 2**60), st.integers(1, 2**40))
def test_a_part_is_rounded_once_half_a_cent_up(whole: int, count: int, of: int) -> None:
    exact = Fraction(whole * count, of)
    assert -Fraction(1, 2) < part(whole, count, of) - exact <= Fraction(1, 2)


def agreed(cents: int, months: int, state: ContractState = ContractState.IN_FORCE) -> ContractView:
    lines = (QuoteLine(text="Workspace", quantity=1, unit_cents=cents),)
    return structs.replace(contract(), state=state, terms=terms(lines=lines, period_months=months, term_months=months))


def test_a_contract_in_force_counts_before_a_subscription() -> None:
    bought = subscription(SubscriptionStatus.ACTIVE)
    ended = agreed(1, 1, ContractState.ENDED)
    assert revenue([ended, agreed(5_000_000, 12)], bought, "EUR") == Revenue(RevenueOf.CONTRACT, 416_667, "EUR")
    assert revenue([ended], bought, "EUR") == Revenue(RevenueOf.SUBSCRIPTION, 200_000, "EUR")


@pytest.mark.parametrize("status", SubscriptionStatus)
def test_only_what_is_paid_is_revenue(status: SubscriptionStatus) -> None:
    paid = {SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE}
    yearly = subscription(status, interval=Interval.YEAR, amount_cents=2_000_000)
    expected = Revenue(RevenueOf.SUBSCRIPTION, 166_667, "EUR") if status in paid else NOTHING
    assert revenue([], yearly, "EUR") == expected


@given(st.booleans(), st.integers(0, 2**50), st.integers(0, 10**12))
def test_the_margin_is_the_revenue_without_the_parts(runs: bool, stored: int, cents: int) -> None:  # noqa: FBT001  drawn
    parts = cost_parts(COSTS, runs=runs, stored_bytes=stored)
    found = margin(parts, Revenue(RevenueOf.SUBSCRIPTION, cents, "EUR"), "EUR")
    assert found.is_whole
    assert found.cost_cents == (900 if runs else 0) + part(12, stored, GIB)
    assert found.margin_cents == cents - found.cost_cents
    assert (found.share is None) == (cents == 0)


def test_what_is_not_known_gives_no_margin() -> None:
    silent = cost_parts(COSTS, runs=False, stored_bytes=None)
    found = margin(silent, NOTHING, "EUR")
    assert (found.cost_cents, found.is_whole, found.margin_cents, found.share) == (0, False, None, None)
    whole = cost_parts(COSTS, runs=True, stored_bytes=GIB)
    foreign = margin(whole, Revenue(RevenueOf.SUBSCRIPTION, 10_000, "USD"), "EUR")
    assert (foreign.cost_cents, foreign.is_whole, foreign.margin_cents) == (912, True, None)
