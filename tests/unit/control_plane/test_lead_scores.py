"""The score of a lead: a table of points, as of any moment, and what it was worth."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.control_plane_web.figure_fakes import prospect
from unit.control_plane_web.lead_fakes import MEMBERS, candidate
from unit.control_plane_web.status_fakes import NOW
from vivero_control.domain.accounts.usage import Meter, Signs, Usage
from vivero_control.domain.figures.schemas import Verdict
from vivero_control.domain.leads import policies
from vivero_control.domain.leads.policies import BANDS, FROM_USAGE, LEAST_OUTCOMES, POINTS, THRESHOLDS, Candidate
from vivero_control.domain.leads.schemas import LARGEST_SCORE, LeadQuery, Outcome, Sign

HOURS = st.integers(0, 24 * 80)
SEEN = st.dictionaries(st.sampled_from(Sign), HOURS.map(lambda hours: NOW - timedelta(hours=hours)))
PAID = st.none() | HOURS.map(lambda hours: NOW - timedelta(hours=hours))


def drawn(number: int, days: float, seen: dict[Sign, object], paid_at: object, owner: int) -> Candidate:
    return Candidate(
        prospect=prospect(number, days, paid_at=paid_at),
        signs=seen,  # type: ignore[arg-type]
        owner=MEMBERS[owner] if owner < len(MEMBERS) else None,
        assigned_at=None,
        told=0,
    )


CANDIDATES = st.lists(
    st.builds(drawn, st.integers(0, 10**6), st.floats(0, 80), SEEN, PAID, st.integers(0, 2)), max_size=30
)


def test_the_table_gives_a_hundred_points_and_has_words_for_every_sign() -> None:
    assert set(POINTS) == set(Sign)
    assert sum(points for points, _ in POINTS.values()) == LARGEST_SCORE
    assert len({words for _, words in POINTS.values()}) == len(POINTS)
    assert [points for points, _ in POINTS.values()] == sorted((points for points, _ in POINTS.values()), reverse=True)


def test_the_bands_have_each_score_once_and_begin_at_the_thresholds() -> None:
    assert sorted(score for least, most in BANDS for score in range(least, most + 1)) == list(range(LARGEST_SCORE + 1))
    assert {least for least, _ in BANDS} >= set(THRESHOLDS)


@given(SEEN, HOURS, HOURS)
def test_a_score_only_grows_and_is_that_of_its_reasons(seen: dict[Sign, object], first: int, second: int) -> None:
    signs: policies.Signs = seen  # type: ignore[assignment]
    early, late = (NOW - timedelta(hours=hours) for hours in sorted((first, second), reverse=True))
    assert policies.score(signs, early) <= policies.score(signs, late)
    reasons = policies.reasons(signs)
    assert sum(one.points for one in reasons) == policies.score(signs, NOW)
    assert {one.sign for one in reasons} == set(signs)


@pytest.mark.parametrize(("score", "reached"), [(0, 0), (49, 0), (50, 50), (74, 50), (75, 75), (100, 75)])
def test_a_threshold_is_the_highest_that_was_reached(score: int, reached: int) -> None:
    assert policies.threshold(score) == reached


@given(
    CANDIDATES,
    st.sampled_from([None, *Outcome]),
    st.sampled_from(["", "none", *(str(one.id) for one in MEMBERS)]),
    st.integers(0, 100),
)
def test_the_list_has_exactly_what_was_asked_for_the_best_first(
    known: list[Candidate], outcome: Outcome | None, owner: str, least: int
) -> None:
    found = policies.listed(known, LeadQuery(outcome=outcome, owner=owner, least=least), NOW)
    assert found == sorted(found, key=lambda one: (-one.score, -one.created_at.timestamp(), one.id))
    expected = [
        one
        for one in (policies.row(candidate, NOW) for candidate in known)
        if (outcome is None or one.outcome is outcome)
        and (not owner or (str(one.owner.id) if one.owner else "none") == owner)
        and one.score >= least
    ]
    assert sorted(one.id for one in found) == sorted(one.id for one in expected)


@given(CANDIDATES)
def test_the_calibration_counts_each_known_outcome_once(known: list[Candidate]) -> None:
    bands = policies.calibration(known, NOW).bands
    decided = [one for one in known if one.prospect.outcome_is_known(NOW)]
    assert sum(one.paid.of for one in bands) == len(decided)
    assert sum(one.paid.count for one in bands) == sum(one.prospect.paid_at is not None for one in decided)
    assert all(one.verdict is Verdict.TOO_EARLY for one in bands if one.paid.of < LEAST_OUTCOMES)


def test_what_was_seen_after_a_week_or_on_the_way_to_paying_foretells_nothing() -> None:
    late = Candidate(
        prospect=prospect(1, 60),
        signs=dict.fromkeys(Sign, NOW - timedelta(days=50)),
        owner=None,
        assigned_at=None,
        told=0,
    )
    quick = prospect(2, 60, paid_at=NOW - timedelta(days=59.9))
    at_once = Candidate(
        prospect=quick, signs={Sign.CHECKOUT: NOW - timedelta(days=59.95)}, owner=None, assigned_at=None, told=0
    )
    best, *_, worst = policies.calibration([late, at_once], NOW).bands
    assert (best.paid.of, worst.paid.of, worst.paid.count) == (0, 2, 1)


def test_a_band_with_enough_outcomes_is_compared_with_the_goal() -> None:
    paid = [
        candidate(number, Sign, found=prospect(number, 60, paid_at=NOW - timedelta(days=20)))
        for number in range(LEAST_OUTCOMES)
    ]
    (best, *_) = policies.calibration(paid, NOW).bands
    assert (best.paid.of, best.verdict) == (LEAST_OUTCOMES, Verdict.ABOVE)
    (best, *_) = policies.calibration(paid[1:], NOW).bands
    assert best.verdict is Verdict.TOO_EARLY


@given(
    st.builds(
        Usage,
        *(st.builds(Meter, st.integers(0, 100), st.none() | st.integers(0, 100)) for _ in range(3)),
        st.builds(Signs, st.booleans(), st.booleans(), st.booleans()),
    )
)
def test_signs_of_use_are_those_that_are_asked_for(usage: Usage) -> None:
    found = policies.seen_in(usage)
    assert found <= set(FROM_USAGE)
    assert (Sign.IMPORT in found, Sign.API_KEY in found, Sign.RETURNED in found) == (
        usage.signs.imported,
        usage.signs.has_api_key,
        usage.signs.returned,
    )
    assert (Sign.TEAM in found) == (usage.users.used >= 2)


@pytest.mark.parametrize(
    ("used", "limit", "near"), [(8, 10, True), (7, 10, False), (0, 0, False), (10, None, False), (11, 10, True)]
)
def test_a_limit_is_near_at_four_fifths_and_unlimited_never(used: int, limit: int | None, near: bool) -> None:  # noqa: FBT001  a column of the table
    assert policies.is_near(Meter(used, limit)) is near


def test_colleagues_are_two_people_of_one_company() -> None:
    first, second, alone, free, again = (
        prospect(number, 10 - number, email=email)
        for number, email in enumerate(
            ("ada@acme.example", "Bo@acme.example", "eve@other.example", "x@gmail.com", "EVE@other.example")
        )
    )
    found = policies.colleagues([again, free, alone, second, first])
    assert found == {first.id: second.created_at, second.id: second.created_at}


def test_signs_of_its_own_rows() -> None:
    seen = NOW - timedelta(days=1)
    one = prospect(1, 2, email="x@gmail.com", confirmed_at=seen, first_value_at=seen, active_at=None)
    found = policies.signs_of(one, {Sign.TEAM: seen}, checkout_at=NOW, colleague_at=None)
    assert found == {Sign.TEAM: seen, Sign.CONFIRMED: seen, Sign.FIRST_RECORD: seen, Sign.CHECKOUT: NOW}
    assert policies.signs_of(prospect(2, 2), {}, checkout_at=None, colleague_at=None) == {
        Sign.COMPANY: NOW - timedelta(days=2)
    }


@given(st.sets(st.integers(1, 6).map(lambda number: UUID(int=number)), max_size=6), st.integers(1, 40))
def test_everybody_has_the_same_number_of_leads_give_or_take_one(members: set[UUID], leads: int) -> None:
    last: dict[UUID, datetime] = {}
    given_to = []
    for number in range(leads):
        chosen = policies.next_in_turn(members, last)
        if chosen is None:
            assert not members
            return
        last[chosen] = NOW + timedelta(minutes=number)
        given_to.append(chosen)
    counts = [given_to.count(one) for one in members]
    assert max(counts) - min(counts) <= 1
