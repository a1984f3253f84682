"""The table of a tenant's life: whole, without a dead end, and what every pass goes by."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reconcile.world import NOW
from unit.operator.made import body, condition
from vivero_core.model.constants import Reason, SuspensionReason
from vivero_core.model.tenant import Tenant
from vivero_operator.policies import life, tenant_conditions
from vivero_operator.policies.life import TABLE, Event, Move, State
from vivero_operator.reconcile import pipeline

GUIDE = Path(__file__).parents[3] / "docs/architecture.md"
LASTS = timedelta(hours=1)
ENDS = {State.DELETING, State.LEAVING}
PAIRS = [(state, event) for state in State for event in Event]
OWNED = {"slug": "acme", "owner": {"email": "a@b.co"}}
SPECS: tuple[dict[str, Any], ...] = (
    {},
    OWNED,
    {**OWNED, "claimedAt": NOW.isoformat()},
    {**OWNED, "claimedAt": NOW.isoformat(), "hosts": ["app.example.com"]},
)


@st.composite
def tenants(draw: st.DrawFn) -> Tenant:
    """Of a pool; anything that its spec may ask and its status may say."""
    spec = {"displayName": "Acme", "plan": "trial", "pool": "trial", **draw(st.sampled_from(SPECS))}
    suspended = draw(st.sampled_from((None, *SuspensionReason)))
    if suspended is not None:
        spec["suspended"] = {"reason": suspended}
    ready, off = draw(st.sampled_from((None, True, False))), draw(st.booleans())
    conditions = [condition("Suspended", "Unpaid" if off else "NotSuspended", truth=off)]
    if ready is not None:
        conditions.append(condition("Ready", "Proven" if ready else "Starting", truth=ready))
    proven = draw(st.sampled_from((None, timedelta(), timedelta(hours=2))))
    status = {"conditions": conditions} | ({"url": "https://acme.example"} if draw(st.booleans()) else {})
    status |= {"provenAt": (NOW - proven).isoformat()} if proven is not None else {}
    meta: dict[str, Any] = {"deletionTimestamp": NOW.isoformat()} if draw(st.booleans()) else {}
    return Tenant.parse({**body("Tenant", "acme", status=status, **meta), "spec": spec})


@pytest.mark.parametrize(("state", "event"), PAIRS)
def test_every_pair_is_decided_and_has_a_pipeline(state: State, event: Event) -> None:
    move = TABLE[state][event]
    assert pipeline.OF_STATE[move.state]
    assert move.state in TABLE


def test_every_state_is_reached_from_a_new_tenant_and_none_comes_back_to_new() -> None:
    reached, seen = {State.NEW}, set[State]()
    while reached - seen:
        for state in reached - seen:
            seen.add(state)
            reached |= {move.state for move in TABLE[state].values()}
    assert reached == set(State)
    assert (
        set(pipeline.OF_STATE)
        == {move.state for row in TABLE.values() for move in row.values()}
        == {*State} - {State.NEW}
    )


@pytest.mark.parametrize("state", [one for one in State if one not in ENDS])
def test_from_everywhere_it_can_be_served_suspended_and_deleted(state: State) -> None:
    """No dead end but the deletion, which Kubernetes does not take back."""
    assert TABLE[state][Event.SERVE].state is State.ACTIVE
    assert TABLE[state][Event.STAND_BY].state is State.STANDBY
    assert {TABLE[state][one].state for one in (Event.DELETE, Event.LEAVE)} == ENDS
    assert [TABLE[state][Event(one)] for one in SuspensionReason] == [
        Move(State.SUSPENDED, Reason(one)) for one in SuspensionReason
    ]


@pytest.mark.parametrize("state", sorted(ENDS))
def test_a_deletion_is_not_taken_back(state: State) -> None:
    assert {move.state for move in TABLE[state].values()} <= ENDS


@given(tenant=tenants(), bound=st.booleans(), own=st.booleans())
def test_what_becomes_of_any_tenant(tenant: Tenant, bound: bool, own: bool) -> None:  # noqa: FBT001  drawn
    move = life.move(tenant, NOW, LASTS, bound=bound, own=own)
    spec, status = tenant.spec, tenant.status
    if tenant.metadata.deletion_timestamp is not None:
        assert move == Move(State.DELETING if own else State.LEAVING, Reason.DELETING)
    elif spec.suspended is not None:
        assert move == Move(State.SUSPENDED, Reason(spec.suspended.reason))
    elif tenant.is_spare:
        assert move.state is State.STANDBY
    elif move.state is State.CLAIMED:
        # Only route and owner are missing, of what was proven not long ago.
        assert spec.claimed_at is not None
        assert (status.url, spec.hosts) == (None, ())
        assert life.proven(tenant, NOW, LASTS)
        assert not bound
    else:
        assert move.state is State.ACTIVE


@given(tenant=tenants(), bound=st.booleans())
def test_the_end_of_a_suspension_is_told_once(tenant: Tenant, bound: bool) -> None:  # noqa: FBT001  drawn
    move = life.move(tenant, NOW, LASTS, bound=bound)
    was = any(one.type == "Suspended" and one.status == "True" for one in tenant.status.conditions)
    stays = tenant.metadata.deletion_timestamp is None and tenant.spec.suspended is None
    assert (move.reason is Reason.RESUMED) == (was and stays)


@pytest.mark.parametrize("move", sorted({move for row in TABLE.values() for move in row.values()}, key=str), ids=str)
def test_conditions_follow_from_the_state(move: Move) -> None:
    tenant = Tenant.parse(body("Tenant", "acme", {"suspended": {"reason": "Manual"}}))
    conditions = tenant_conditions.of(move, tenant, [], NOW)
    summary = tenant_conditions.summary(conditions)
    assert summary is not None
    told = tenant_conditions.transition((), conditions, move.reason)
    assert told is not None
    expected = Reason.PROVEN if move.reason is Reason.CLAIMED else move.reason  # of a claim the whole pass tells
    assert told[:2] == (False, expected)
    assert (summary.type == "Suspended") == (move.state is State.SUSPENDED)


def documented(state: State) -> str:
    """A row of the guide: alike events share a column, as suspensions do whose reason is their own."""
    shown = []
    for event in (Event.STAND_BY, Event.CLAIM, Event.SERVE, Event.MANUAL, Event.DELETE, Event.LEAVE):
        move = TABLE[state][event]
        reason = "its own" if move.state is State.SUSPENDED else move.reason
        shown.append(f"{move.state} ({reason})")
    return f"| **{state}** | {' | '.join(shown)} |"


@pytest.mark.parametrize("state", State)
def test_the_guide_has_the_table(state: State) -> None:
    assert documented(state) in GUIDE.read_text()
