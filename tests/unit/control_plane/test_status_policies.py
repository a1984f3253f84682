"""What a measurement, a day and 90 days mean on the status page; what may be announced on it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.control_plane_web.status_fakes import MINUTES, NOW, measured
from vivero_control.domain.status import policies
from vivero_control.domain.status.policies import DAYS, MAINTENANCE, STALE, MeasuredDay
from vivero_control.domain.status.schemas import (
    Component,
    ComponentState,
    IncidentState,
    NewIncident,
)
from vivero_web.clock import in_utc

GOOD, SLOW, DOWN, UNKNOWN = ComponentState
TODAY = NOW.date()


def announced(**changes: Any) -> NewIncident:  # noqa: ANN401  fields of NewIncident
    made: dict[str, Any] = {
        "title": "Slow",
        "text": "We are looking.",
        "state": IncidentState.INVESTIGATING,
        "components": [Component.SIGNUP],
    }
    return NewIncident(**made | changes)


def at_fault(**changes: Any) -> set[str]:  # noqa: ANN401  as above
    return {one.field for one in policies.problems(announced(**changes), NOW)}


@given(st.integers(0, 500), st.integers(0, 500))
def test_a_share_is_well_slow_or_down_and_nothing_where_none_was_asked(good: int, bad: int) -> None:
    found = policies.of_share(good, good + bad)
    if good + bad == 0:
        assert found is None
    elif bad == 0:
        assert found is GOOD
    elif good == 0:
        assert found is DOWN
    else:
        assert found is (GOOD if bad * 50 <= good + bad else SLOW if good >= bad else DOWN)


@pytest.mark.parametrize(
    ("answers", "minutes", "state"), [(True, 0, GOOD), (True, 2, SLOW), (True, 15, DOWN), (False, 0, DOWN)]
)
def test_signups_that_wait_are_slow_and_then_down(answers: bool, minutes: int, state: ComponentState) -> None:  # noqa: FBT001
    assert policies.of_signups(page_answers=answers, waiting=timedelta(minutes=minutes)) is state


@pytest.mark.parametrize(
    ("known", "state"),
    [
        ({}, GOOD),
        ({"degraded": 1}, SLOW),
        ({"outage": 14}, SLOW),
        ({"outage": 15}, DOWN),
        ({"missing": 1000}, GOOD),
        ({"missing": MINUTES}, UNKNOWN),
    ],
)
def test_a_day_is_what_was_measured_of_it(known: dict[str, Any], state: ComponentState) -> None:
    day = TODAY - timedelta(days=1)
    seen = policies.day_view(day, measured(day, **known), NOW)
    assert seen.state is state
    assert seen.not_measured == known.get("missing", 0)


def test_a_day_without_a_measurement_is_no_good_day() -> None:
    seen = policies.day_view(TODAY - timedelta(days=5), None, NOW)
    assert (seen.state, seen.not_measured, seen.operational) == (UNKNOWN, MINUTES, 0)
    assert policies.day_view(TODAY, None, NOW).not_measured == 15 * 60 + 30, "today has not passed yet"


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400), st.integers(0, 400)), max_size=DAYS))
def test_uptime_is_the_share_of_measured_minutes_without_an_outage(minutes: list[tuple[int, int, int]]) -> None:
    days = [
        MeasuredDay(
            component=Component.API,
            day=TODAY - timedelta(days=back),
            operational=good,
            degraded=slow,
            outage=down,
            state=GOOD,
            measured_at=NOW,
        )
        for back, (good, slow, down) in enumerate(minutes)
    ]
    views = policies.component_views(days, NOW)
    # One by one, as the worker has counted them.
    samples = [ok for good, slow, down in minutes for ok in [True] * (good + slow) + [False] * down]
    if not views:
        assert not minutes
    elif not samples:
        assert views[0].uptime is None
    else:
        assert views[0].uptime == pytest.approx(sum(samples) / len(samples))


def test_ninety_days_are_shown_whatever_was_measured_and_nothing_older() -> None:
    old = measured(TODAY - timedelta(days=DAYS), outage=500)
    (view,) = policies.component_views([old, measured(TODAY - timedelta(days=DAYS - 1)), measured()], NOW)
    assert [one.day for one in view.days] == [TODAY - timedelta(days=back) for back in reversed(range(DAYS))]
    assert view.uptime == 1.0
    assert sum(one.state is UNKNOWN for one in view.days) == DAYS - 2


def test_a_component_that_was_never_measured_is_not_shown() -> None:
    views = policies.component_views([measured(component=Component.API)], NOW)
    assert [one.component for one in views] == [Component.API]


def test_a_state_that_is_too_old_says_nothing_about_now() -> None:
    for age, state in ((STALE, GOOD), (STALE + timedelta(seconds=1), UNKNOWN)):
        (view,) = policies.component_views([measured(at=NOW - age)], NOW)
        assert view.state is state


@given(st.lists(st.sampled_from(list(ComponentState))), st.booleans())
def test_the_whole_is_as_bad_as_its_worst_part(states: list[ComponentState], open_incident: bool) -> None:  # noqa: FBT001
    found = policies.overall(states, has_open_incident=open_incident)
    badness = [GOOD, UNKNOWN, SLOW, DOWN]
    expected = max([*states, *([SLOW] if open_incident else [])], key=badness.index, default=UNKNOWN)
    assert found is expected


def test_what_is_announced_has_words_components_and_times_of_its_kind() -> None:
    assert at_fault() == set()
    assert at_fault(title=" ", text="\n", components=[]) == {"title", "text", "components"}
    assert at_fault(components=[Component.API, Component.API]) == {"components"}
    assert at_fault(title="a" * 121, text="a" * 2001) == {"title", "text"}
    assert at_fault(text="one\x00two") == {"text"}
    assert at_fault(text="first line\n\tsecond line") == set()
    assert at_fault(begins_at=NOW + timedelta(hours=1)) == {"begins_at"}
    assert at_fault(begins_at=NOW - timedelta(hours=1)) == set()
    assert at_fault(ends_at=NOW + timedelta(hours=1)) == {"ends_at"}
    tomorrow = NOW + timedelta(days=1)
    for state in MAINTENANCE:
        assert at_fault(state=state) == {"begins_at"}
        assert at_fault(state=state, begins_at=tomorrow) == {"ends_at"}
        assert at_fault(state=state, begins_at=tomorrow, ends_at=tomorrow) == {"ends_at"}
        assert at_fault(state=state, begins_at=tomorrow, ends_at=tomorrow + timedelta(hours=2)) == set()


def test_an_incident_becomes_no_maintenance() -> None:
    for state in IncidentState:
        kinds = {policies.kind_of(one) for one in policies.states_of(state)}
        assert kinds == {policies.kind_of(state)}
        assert state in policies.states_of(state)


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(2026, 1, 1), max_value=datetime(2027, 1, 1)))  # noqa: DTZ001
def test_no_minute_is_counted_beyond_those_that_have_passed(now: datetime) -> None:
    day = in_utc(now).date()
    seen = policies.day_view(day, None, now)
    assert 0 <= seen.not_measured < MINUTES
