"""The console's first page, and how its figures are counted."""

from collections import Counter
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from unit.control_plane_web.conftest import browser, logged_in
from unit.control_plane_web.fakes import NOW, FakeOverview, row
from vivero_control.domain.overview.service import NAMED, RECENT, SLOW, SOON, customers
from vivero_control.domain.tenants.schemas import TenantRow, TenantState

AROUND = st.one_of(st.none(), st.timedeltas(timedelta(days=-9), timedelta(days=9)).map(lambda apart: NOW + apart))
STATES: st.SearchStrategy[TenantState] = st.sampled_from(
    [state for state in TenantState if state is not TenantState.STANDBY]
)


def rows_of(drawn: list[tuple[TenantState, datetime | None, datetime | None]]) -> list[TenantRow]:
    return [
        row(f"t{number}", state=state, trial_ends_at=ends, created_at=made)
        for number, (state, ends, made) in enumerate(drawn)
    ]


@given(st.lists(st.tuples(STATES, AROUND, AROUND), max_size=30).map(rows_of))
def test_each_figure_is_that_of_the_rows(rows: list[TenantRow]) -> None:
    found = customers(rows, NOW)
    assert found.states == Counter(one.state for one in rows)
    assert sum(found.states.values()) == len(rows)
    ending = [one for one in rows if one.trial_ends_at and timedelta() < one.trial_ends_at - NOW <= SOON]
    assert (found.ending_in_all, len(found.ending)) == (len(ending), min(len(ending), NAMED))
    ends = [one.trial_ends_at for one in ending]
    assert [one.trial_ends_at for one in found.ending] == sorted(end for end in ends if end)[:NAMED]
    assert found.trials >= found.ending_in_all
    slow = [
        one
        for one in rows
        if one.state == "unreadable" or (one.state == "starting" and one.created_at and NOW - one.created_at > SLOW)
    ]
    assert found.slow_in_all == len(slow)
    assert found.new == sum(one.created_at is not None and NOW - one.created_at <= RECENT for one in rows)


def test_what_needs_a_person_is_told_from_what_is_well() -> None:
    waiting = row(
        "slow", state=TenantState.STARTING, created_at=NOW - timedelta(hours=1), message="No server has room."
    )
    with browser(overview=FakeOverview([waiting])) as client:
        page = logged_in(client).get("/staff/overview").text
        assert page.count("to be looked at") == 3
        assert "No server has room." in page
        assert 'href="/staff/tenants/slow"' in page
    with browser(overview=FakeOverview([row("well", created_at=NOW)], failed=0)) as client:
        page = logged_in(client).get("/staff/overview").text
        assert "to be looked at" not in page


def test_a_pool_that_is_low_and_a_server_that_is_away_are_seen() -> None:
    with browser() as client:
        page = logged_in(client).get("/staff/overview").text
    assert "412 of 1,000" in page.replace("\N{NARROW NO-BREAK SPACE}", ",").replace("\N{NO-BREAK SPACE}", ",")
    assert "Away" in page
    assert "Cordoned" in page
