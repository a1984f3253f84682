"""Effects of staff actions, and the end of trials."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.control_plane.builders import NOW, condition, spare, spare_body, tenant, tenant_body
from vivero_control.domain.tenants import policies, trials
from vivero_control.domain.tenants.errors import WrongStateError
from vivero_control.domain.tenants.schemas import ChangePlan, ExtendTrial, Suspend, TenantState
from vivero_core.model.constants import SuspensionReason
from vivero_core.model.tenant import Tenant
from vivero_web.errors import InvalidInputError

SUSPENDED = {"reason": "Manual", "message": ""}
TRIAL_ENDED = {"reason": "TrialEnded", "message": ""}


def trial(ends: datetime, **spec: Any) -> Tenant:  # noqa: ANN401  as tenant
    return tenant(trialEndsAt=policies.timestamp(ends), **spec)


def test_states() -> None:
    assert policies.state_of(tenant()) is TenantState.STARTING
    assert policies.state_of(tenant(conditions=[condition("Ready")])) is TenantState.READY
    assert policies.state_of(tenant(suspended=SUSPENDED)) is TenantState.SUSPENDED


def test_a_spare_is_standby_in_any_state() -> None:
    for one in (spare(), spare(suspended=SUSPENDED), spare(proven=None)):
        assert policies.state_of(one) is TenantState.STANDBY


@pytest.mark.parametrize(
    "action",
    [
        lambda one: policies.suspend(one, Suspend(reason="by mistake")),
        lambda one: policies.resume(one, NOW),
        lambda one: policies.extend_trial(one, ExtendTrial(reason="by mistake", trial_ends_at=NOW), NOW),
        lambda one: policies.rename(one, "Acme"),
        lambda one: policies.confirm_for_owner(one, NOW),
        lambda one: policies.change_plan(one, ChangePlan(reason="by mistake", plan="starter"), None),
    ],
)
def test_a_spare_takes_no_actions(action: Callable[[Tenant], object]) -> None:
    with pytest.raises(WrongStateError, match="spare"):
        action(spare())


def test_a_spare_has_no_trial_that_could_end() -> None:
    assert trials.due(spare(trialEndsAt=policies.timestamp(NOW - timedelta(days=1))), NOW) is None


def test_only_a_currently_proven_spare_is_claimed() -> None:
    assert policies.claimable(spare(), NOW)
    assert not policies.claimable(tenant(conditions=[condition("Ready")]), NOW)
    assert not policies.claimable(spare(suspended=SUSPENDED), NOW)
    body = spare_body("x1x")
    for where, key, value in (
        ("metadata", "deletionTimestamp", "2026-11-22T12:00:00Z"),
        ("metadata", "generation", 2),
        ("status", "conditions", [condition("Ready", "False", "ProofFailed")]),
        ("status", "conditions", []),
    ):
        changed = Tenant.parse(body | {where: body[where] | {key: value}})
        assert not policies.claimable(changed, NOW), key


@given(st.timedeltas(min_value=timedelta(days=-1), max_value=timedelta(days=400)))
def test_an_outdated_proof_does_not_count(age: timedelta) -> None:
    assert policies.claimable(spare(proven=NOW - age), NOW) is (age <= policies.PROOF_MAX_AGE)
    assert not policies.claimable(spare(proven=None), NOW)


def test_suspend_once() -> None:
    patch = policies.suspend(tenant(), Suspend(reason="abuse seen", kind=SuspensionReason.ABUSE, message="Call us."))
    assert patch == {"suspended": {"reason": "Abuse", "message": "Call us."}}
    with pytest.raises(WrongStateError):
        policies.suspend(tenant(suspended=SUSPENDED), Suspend(reason="again"))


def test_resume_needs_a_suspended_tenant_whose_trial_is_not_over() -> None:
    assert policies.resume(tenant(suspended=SUSPENDED), NOW) == {"suspended": None}
    with pytest.raises(WrongStateError):
        policies.resume(tenant(), NOW)
    with pytest.raises(WrongStateError):
        policies.resume(trial(NOW - timedelta(days=1), suspended=TRIAL_ENDED), NOW)


def test_staff_confirm_an_address_once_and_open_what_was_closed_for_it() -> None:
    ends, owner = NOW + timedelta(days=9), {"email": "owner@acme.example.com", "confirmed": False}
    assert policies.confirm_for_owner(trial(ends, owner=owner), NOW) == {"owner": {"confirmed": True}}
    opened = policies.confirm_for_owner(trial(ends, owner=owner, suspended=TRIAL_ENDED), NOW)
    assert opened == {"owner": {"confirmed": True}, "suspended": None}
    assert "suspended" not in policies.confirm_for_owner(trial(NOW, owner=owner, suspended=TRIAL_ENDED), NOW)
    for nothing in (trial(ends), trial(ends, owner=None)):
        with pytest.raises(WrongStateError, match="still to be confirmed"):
            policies.confirm_for_owner(nothing, NOW)


def test_an_extension_resumes_only_tenants_suspended_for_their_trial() -> None:
    action = ExtendTrial(reason="asked nicely", trial_ends_at=NOW + timedelta(days=14))
    ended = trial(NOW, suspended=TRIAL_ENDED)
    assert policies.extend_trial(ended, action, NOW) == {"trialEndsAt": "2026-12-06T12:00:00Z", "suspended": None}
    assert "suspended" not in policies.extend_trial(trial(NOW, suspended=SUSPENDED), action, NOW)


@pytest.mark.parametrize("days", [-1, 0, 367])
def test_a_trial_ends_in_the_future_but_not_too_far(days: int) -> None:
    action = ExtendTrial(reason="because", trial_ends_at=NOW + timedelta(days=days))
    with pytest.raises(InvalidInputError):
        policies.extend_trial(tenant(), action, NOW)


def test_only_a_trial_is_extended() -> None:
    with pytest.raises(WrongStateError):
        policies.extend_trial(tenant(plan="starter"), ExtendTrial(reason="because", trial_ends_at=NOW), NOW)


def test_a_paid_plan_has_no_trial_end() -> None:
    patch = policies.change_plan(trial(NOW, suspended=TRIAL_ENDED), ChangePlan(reason="paid", plan="starter"), None)
    assert patch == {"plan": "starter", "trialEndsAt": None, "suspended": None}
    with pytest.raises(WrongStateError):
        policies.change_plan(tenant(), ChangePlan(reason="same", plan="trial"), NOW)


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (timedelta(days=8), None),
        (timedelta(days=7), trials.Notice(7)),
        (timedelta(days=2), trials.Notice(7)),
        (timedelta(days=1), trials.Notice(1)),
        (timedelta(seconds=1), trials.Notice(1)),
        (timedelta(0), trials.Close(NOW)),
        (timedelta(days=-400), trials.Close(NOW - timedelta(days=400))),
    ],
)
def test_what_a_trial_needs(left: timedelta, expected: object) -> None:
    assert trials.due(trial(NOW + left), NOW) == expected


def by_hand(ends: str | None, *, generation: int = 1, **spec: Any) -> Tenant:  # noqa: ANN401  as tenant_body
    """A Tenant created with kubectl, with the end that the operator computed."""
    body = tenant_body(**spec)
    body["metadata"]["generation"] = generation
    body["status"]["trialEndsAt"] = ends
    return Tenant.parse(body)


def test_a_trial_made_by_hand_ends_like_any_other() -> None:
    assert trials.due(by_hand("2026-11-22T11:59:59Z"), NOW) == trials.Close(NOW - timedelta(seconds=1))
    assert trials.due(by_hand("2026-11-23T11:00:00Z"), NOW) == trials.Notice(1)
    assert trials.due(by_hand(None), NOW) is None
    assert policies.trial_over(by_hand("2026-11-22T11:59:59Z"), NOW)


def test_the_specs_own_end_comes_first() -> None:
    both = by_hand("2026-11-01T00:00:00Z", trialEndsAt="2026-12-22T12:00:00Z")
    assert policies.trial_end(both) == datetime(2026, 12, 22, 12, tzinfo=UTC)


def test_an_end_computed_for_an_older_spec_or_another_plan_does_not_count() -> None:
    assert policies.trial_end(by_hand("2026-11-01T00:00:00Z", generation=2)) is None
    assert policies.trial_end(by_hand("2026-11-01T00:00:00Z", plan="starter")) is None


def test_no_trial_or_an_ended_one_needs_nothing() -> None:
    assert trials.due(tenant(plan="starter"), NOW) is None
    assert trials.due(tenant(), NOW) is None
    assert trials.due(trial(NOW, suspended=SUSPENDED), NOW) is None


def test_trials_end_after_the_mail_but_not_later_than_the_limit() -> None:
    assert trials.may_suspend(NOW, NOW, told=True)
    assert not trials.may_suspend(NOW, NOW + timedelta(hours=1), told=False)
    assert trials.may_suspend(NOW, NOW + timedelta(days=1), told=False)


def test_a_tenant_gets_a_name_that_people_can_read_and_its_definition_takes() -> None:
    assert policies.rename(tenant(), "Söhne & Co 🌱") == {"displayName": "Söhne & Co 🌱"}
    with pytest.raises(WrongStateError):
        policies.rename(tenant(), "Acme")
    for wrong in ("", " Acme", "A" * 81, "Ac\u202eme", "\u3164", "!?"):
        with pytest.raises(InvalidInputError) as refused:
            policies.rename(tenant(), wrong)
        assert [one.field for one in refused.value.errors] == ["display_name"], wrong


@given(st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2090, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001  hypothesis adds the zone
def test_timestamps_are_kubernetes_own_form(moment: datetime) -> None:
    assert datetime.fromisoformat(policies.timestamp(moment)) == moment.replace(microsecond=0)


OFFSETS = st.timedeltas(timedelta(hours=-23, minutes=-59), timedelta(hours=23, minutes=59)).map(timezone)
ANY_MOMENT = st.datetimes(timezones=OFFSETS) | st.builds(
    lambda edge, offset: edge.replace(tzinfo=offset),
    st.sampled_from([datetime.min, datetime.max]),  # noqa: DTZ901  the offset follows
    OFFSETS,
)


@given(ANY_MOMENT)
def test_an_extension_to_any_day_is_accepted_or_refused(moment: datetime) -> None:
    policies.timestamp(moment)
    action = ExtendTrial(reason="because", trial_ends_at=moment)
    try:
        policies.extend_trial(tenant(), action, NOW)
    except InvalidInputError:
        return
    assert NOW < moment <= NOW + policies.LONGEST_EXTENSION
