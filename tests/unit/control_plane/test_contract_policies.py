"""What is decided about quotes and contracts: states, periods, notices, what a Tenant gets, and tax to the cent."""

import hashlib
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import vivero_control
from hypothesis import given
from hypothesis import strategies as st
from unit.control_plane.builders import spare, tenant
from unit.control_plane.contract_builders import line, terms
from vivero_control.domain.contracts import policies, vat
from vivero_control.domain.contracts.errors import WrongQuoteStateError
from vivero_control.domain.contracts.schemas import (
    ADDRESS_MAX,
    TERM_MAX,
    AgreedLimits,
    ContractState,
    QuoteState,
    Vat,
)

TODAY = date(2026, 11, 30)
TERMS_OF_VERSION = {
    "2026-11": "844c6db732f3fc286ac701becb1f63c77418fbd52b0d3bb4dc4bbe325e6e301a",
}
"""Digests of the page of terms by version: another text needs another version, which is noted here."""


@pytest.mark.parametrize("state", QuoteState)
@pytest.mark.parametrize("to", QuoteState)
def test_a_quote_goes_from_draft_over_sent_to_its_end(state: QuoteState, to: QuoteState) -> None:
    allowed = {
        QuoteState.DRAFT: {QuoteState.SENT, QuoteState.WITHDRAWN},
        QuoteState.SENT: {QuoteState.SENT, QuoteState.ACCEPTED, QuoteState.DECLINED, QuoteState.WITHDRAWN},
    }
    if to in allowed.get(state, set()):
        policies.check_move(state, to)
    else:
        with pytest.raises(WrongQuoteStateError):
            policies.check_move(state, to)


@pytest.mark.parametrize("state", QuoteState)
def test_only_what_was_sent_expires_and_on_the_day_after_the_last(state: QuoteState) -> None:
    assert policies.state_on(state, TODAY, TODAY) is state
    after = policies.state_on(state, TODAY, TODAY + timedelta(days=1))
    assert after is (QuoteState.EXPIRED if state is QuoteState.SENT else state)


@given(
    st.dates(date(2000, 1, 1), date(2100, 12, 31)),
    st.integers(1, TERM_MAX).flatmap(
        lambda period: st.tuples(st.just(period), st.integers(1, TERM_MAX // period).map(lambda many: many * period))
    ),
)
def test_the_periods_are_the_term_without_gap_or_overlap(starts: date, months: tuple[int, int]) -> None:
    period, term = months
    found = terms(starts_on=starts, period_months=period, term_months=term)
    periods = policies.periods(found)
    assert len(periods) == term // period
    assert periods[0][0] == starts
    assert periods[-1][1] == policies.ends_on(found)
    for (_, last), (first, _) in pairwise(periods):
        assert first == last + timedelta(days=1)


def test_a_month_that_is_shorter_ends_on_its_last_day() -> None:
    assert policies.add_months(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert policies.add_months(date(2028, 1, 31), 1) == date(2028, 2, 29)
    assert policies.add_months(date(2026, 1, 31), 12) == date(2027, 1, 31)


@pytest.mark.parametrize(
    ("left", "told", "notice"),
    [
        (91, None, None),
        (90, None, 90),
        (89, 90, None),
        (31, 90, None),
        (30, 90, 30),
        (30, None, 30),
        (5, 30, None),
        (0, 90, 30),
        (-1, None, None),
    ],
)
def test_staff_are_told_90_and_30_days_before_the_end(left: int, told: int | None, notice: int | None) -> None:
    assert policies.renewal_notice(TODAY + timedelta(days=left), told, TODAY) == notice


def test_a_contract_is_in_force_on_its_first_and_its_last_day() -> None:
    first, last = TODAY, TODAY + timedelta(days=9)
    assert policies.contract_state(first, last, TODAY - timedelta(days=1)) is ContractState.AHEAD
    assert policies.contract_state(first, last, first) is ContractState.IN_FORCE
    assert policies.contract_state(first, last, last) is ContractState.IN_FORCE
    assert policies.contract_state(first, last, last + timedelta(days=1)) is ContractState.ENDED


LIMITS = AgreedLimits(users=250, records=5)
OWN = {"users": 250, "records": 5}


@pytest.mark.parametrize(
    ("spec", "change"),
    [
        (
            {"trialEndsAt": "2026-12-01T00:00:00Z"},
            {"plan", "trialEndsAt", "limits"},
        ),
        ({"plan": "enterprise"}, {"limits"}),
        ({"plan": "enterprise", "limits": OWN}, set()),
        ({"plan": "enterprise", "limits": {**OWN, "requestsPerMinute": 9}}, {"limits"}),
        ({"plan": "enterprise", "limits": OWN, "suspended": {"reason": "Unpaid"}}, {"suspended"}),
        ({"plan": "enterprise", "limits": OWN, "suspended": {"reason": "TrialEnded"}}, {"suspended"}),
        ({"plan": "enterprise", "limits": OWN, "suspended": {"reason": "Abuse"}}, set()),
        ({"plan": "enterprise", "limits": OWN, "suspended": {"reason": "Manual"}}, set()),
    ],
)
def test_a_tenant_gets_what_is_agreed_on_and_no_more(spec: dict[str, Any], change: set[str]) -> None:
    patch = policies.entitlement(tenant(**spec), "enterprise", LIMITS)
    assert set(patch) == change
    if "limits" in change:
        assert patch["limits"] == {"users": 250, "records": 5, "storageBytes": None, "requestsPerMinute": None}


def test_limits_of_ones_own_go_with_a_contract_that_has_none() -> None:
    patch = policies.entitlement(tenant(plan="enterprise", limits=OWN), "enterprise", AgreedLimits())
    assert patch == {"limits": None}
    assert not policies.entitlement(tenant(plan="enterprise"), "enterprise", AgreedLimits())
    assert not policies.entitlement(spare(), "enterprise", LIMITS)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"company": ""}, "company"),
        ({"address": ""}, "address"),
        ({"address": "\n".join("abcdef")}, "address"),
        ({"address": "x" * (ADDRESS_MAX + 1)}, "address"),
        ({"address": "1 Street\u202e"}, "address"),
        ({"tax_id": "DE123456789"}, "tax_id"),
        ({"tax_id": "FR1"}, "tax_id"),
        ({"country": "US", "tax_id": "9" * 21}, "tax_id"),
        ({"email": "nobody"}, "email"),
        ({"lines": ()}, "lines"),
        ({"lines": (line(),) * 21}, "lines"),
        ({"lines": (line(text=""),)}, "lines"),
        ({"lines": (line(text="x" * 121),)}, "lines"),
        ({"order_number": "9" * 61}, "order_number"),
        ({"term_months": 18}, "period_months"),
        ({"starts_on": date(2036, 1, 1)}, "starts_on"),
        ({"starts_on": date(1999, 1, 1)}, "starts_on"),
        ({"valid_until": TODAY - timedelta(days=1)}, "valid_until"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], field: str) -> None:
    assert not policies.problems(terms(), TODAY)
    assert [one.field for one in policies.problems(policies.tidied(terms(**changes)), TODAY)] == [field]


def test_what_was_typed_is_tidied() -> None:
    found = policies.tidied(
        terms(company="  Acme  Ltd ", address=" a \r\n\r\n b ", tax_id="fr 12.345-678/901", email=" a@b.co ")
    )
    assert (found.company, found.address, found.tax_id, found.email) == (
        "Acme Ltd",
        "a\nb",
        "FR12345678901",
        "a@b.co",
    )


@pytest.mark.parametrize(
    ("seller", "buyer", "tax_id", "how"),
    [
        ("DE", "DE", "", Vat.STANDARD),
        ("DE", "DE", "DE123456789", Vat.STANDARD),
        ("DE", "FR", "FR12345678901", Vat.REVERSE_CHARGE),
        ("DE", "FR", "", Vat.STANDARD),
        ("DE", "GR", "EL123456789", Vat.REVERSE_CHARGE),
        ("DE", "CH", "", Vat.OUTSIDE),
        ("DE", "US", "12-3456789", Vat.OUTSIDE),
    ],
)
def test_where_a_service_is_taxed(seller: str, buyer: str, tax_id: str, how: Vat) -> None:
    assert vat.treatment(seller, buyer, tax_id) is how


def test_an_id_of_greece_begins_with_el_and_one_of_outside_is_not_looked_at() -> None:
    assert vat.tax_id_problem("EL123456789", "GR") is None
    assert vat.tax_id_problem("GR123456789", "GR") is not None
    assert vat.tax_id_problem("anything", "US") is None


@given(
    st.lists(st.builds(line, st.integers(0, 10**9), st.integers(1, 100_000)), min_size=1, max_size=20),
    st.sampled_from(Vat),
    st.integers(0, 5000),
)
def test_the_sums_of_an_invoice_are_exact(lines: list[Any], how: Vat, rate: int) -> None:
    found = vat.totals(lines, how, rate)
    assert found.net_cents == sum(one.quantity * one.unit_cents for one in lines)
    assert found.total_cents == found.net_cents + found.vat_cents
    exact = Decimal(found.net_cents) * found.rate / 10_000
    assert found.vat_cents == int(exact.quantize(Decimal(1), ROUND_HALF_UP))
    assert found.rate == (rate if how is Vat.STANDARD else 0)


def test_another_text_of_the_terms_is_another_version() -> None:
    page = Path(vivero_control.__file__).parent / "web/templates/pages/terms.html.j2"
    digest = hashlib.sha256(page.read_bytes()).hexdigest()
    assert TERMS_OF_VERSION[policies.TERMS_VERSION] == digest
