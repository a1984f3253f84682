"""What happened to a tenant between two looks, and what an endpoint is told."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from unit.control_plane import builders
from vivero_control.domain.webhooks import policies
from vivero_control.domain.webhooks.policies import Happening, State
from vivero_control.domain.webhooks.schemas import SWITCHED_OFF_AFTER, EventType
from vivero_control.domain.webhooks.watching import sighting
from vivero_core.model.constants import SuspensionReason

AT: Final = datetime(2026, 12, 1, 3, 0, tzinfo=UTC)
NEW: Final = State(id="a1", slug="acme", display_name="Acme", plan="trial", worked=False, suspended=None, deleted=False)
STATES: Final = st.builds(
    State,
    id=st.just("a1"),
    slug=st.just("acme"),
    display_name=st.text(max_size=20),
    plan=st.sampled_from(["trial", "starter", "team"]),
    worked=st.booleans(),
    suspended=st.none() | st.sampled_from([str(one) for one in SuspensionReason]),
    deleted=st.booleans(),
)


def types(before: State | None, **changes: object) -> list[EventType]:
    return [one.type for one in policies.happenings(before, structs.replace(before or NEW, **changes))]


def test_what_is_seen_for_the_first_time_is_told_from_its_beginning() -> None:
    assert types(None) == [EventType.CREATED]
    assert types(None, worked=True) == [EventType.CREATED, EventType.READY]
    assert types(None, plan="team") == [EventType.CREATED], "it had no plan before"


def test_each_change_is_an_event() -> None:
    assert types(NEW) == types(NEW, display_name="Other") == []
    assert types(NEW, worked=True) == [EventType.READY]
    assert types(NEW, suspended="Manual") == [EventType.SUSPENDED]
    assert types(structs.replace(NEW, suspended="Manual")) == []
    assert types(structs.replace(NEW, suspended="Manual"), suspended=None) == [EventType.RESUMED]
    assert types(NEW, suspended="TrialEnded") == [EventType.TRIAL_ENDED, EventType.SUSPENDED]
    assert types(NEW, deleted=True) == [EventType.DELETED]
    (changed,) = policies.happenings(NEW, structs.replace(NEW, plan="team"))
    assert (changed.type, changed.detail) == (EventType.PLAN_CHANGED, {"previous_plan": "trial"})


@given(st.lists(STATES, min_size=1, max_size=8))
def test_however_it_goes_it_is_made_once_works_first_once_and_ends_once(seen: list[State]) -> None:
    before: State | None = None
    told: list[EventType] = []
    for one in seen:
        after = policies.remembered(before, one)
        told += [found.type for found in policies.happenings(before, after)]
        before = after
    for once in (EventType.CREATED, EventType.READY):
        assert told.count(once) <= 1
    assert told[0] is EventType.CREATED
    if EventType.DELETED in told:
        assert told.index(EventType.DELETED) == len(told) - 1
    open_closed = [one for one in told if one in {EventType.SUSPENDED, EventType.RESUMED}]
    if not any(one.suspended for one in seen):
        assert open_closed == []
    reasons = {one.suspended for one in seen if one.suspended}
    if len(reasons) <= 1:
        assert all(one is not two for one, two in pairwise(open_closed)), "they take turns"


def test_a_spare_is_nobodys_and_a_tenant_that_cannot_be_read_is_not_gone() -> None:
    assert sighting(builders.spare_body("trial-x7k2m")).state is None
    odd = builders.tenant_body(plan=7)
    assert (sighting(odd).uid, sighting(odd).state) == ("uid-acme", None)
    seen = sighting(builders.tenant_body(conditions=[builders.condition("Ready")], plan="team"))
    assert seen.version == 7
    assert seen.state is not None
    assert (seen.state.worked, seen.state.plan, seen.state.suspended) == (True, "team", None)


@given(st.none() | STATES)
def test_a_message_names_its_tenant_and_nobody(state: State | None) -> None:
    named = {"tenant": "acme", "uid": "u1", "sequence": 3}
    text = policies.body(Happening(EventType.PAID, {"cents": 4900}), named, state, AT)
    said = json.loads(text)
    assert (said["type"], said["timestamp"]) == ("tenant.paid", "2026-12-01T03:00:00+00:00")
    known = {"id", "slug", "display_name", "plan", "suspended"} if state else set()
    assert said["data"].keys() == {"tenant", "uid", "sequence", "cents"} | known


@pytest.mark.parametrize(
    ("since", "off"),
    [
        (None, False),
        (AT, False),
        (AT - SWITCHED_OFF_AFTER + timedelta(seconds=1), False),
        (AT - SWITCHED_OFF_AFTER, True),
    ],
)
def test_days_of_failures_end_it(since: datetime | None, off: bool) -> None:  # noqa: FBT001  a parameter of the test
    assert policies.is_given_up(since, AT) is off
