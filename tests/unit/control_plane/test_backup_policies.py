"""How far a backup or a restore is, and what may be asked for."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.control_plane.builders import NOW, backup_body, condition, restore_body, tenant
from vivero_control.domain.backups import policies
from vivero_control.domain.backups.schemas import BringBack, OperationState, Target
from vivero_control.domain.tenants.schemas import RecoveryView
from vivero_core.model.naming import SLUG_MAX_LENGTH, slug_problem
from vivero_core.model.tenant_backup import TenantBackup
from vivero_core.model.tenant_restore import TenantRestore

DONE = [{"name": "log", "state": "Done"}, {"name": "database", "state": "Running"}]
WAITING = [{"name": "log", "state": "Waiting"}]


@pytest.mark.parametrize(
    ("conditions", "steps", "expected"),
    [
        ([], [], OperationState.WAITING),
        ([condition("Complete", "False", "NotConfigured")], [], OperationState.WAITING),
        ([condition("Complete", "False", "Running")], [], OperationState.RUNNING),
        # The new Tenant is waited for after the last step.
        ([condition("Complete", "False", "Provisioning")], DONE, OperationState.RUNNING),
        ([condition("Complete", "False", "Provisioning")], WAITING, OperationState.WAITING),
        ([condition("Complete", "False", "WordOfANewerOperator")], [], OperationState.WAITING),
        ([condition("Complete", "False", "Failed")], DONE, OperationState.FAILED),
        ([condition("Complete", "False", "Refused")], DONE, OperationState.REFUSED),
        ([condition("Complete", "True", "Restored")], DONE, OperationState.COMPLETE),
        ([condition("Complete", "False", "Running"), condition("Paused")], DONE, OperationState.PAUSED),
    ],
)
def test_the_state_of_an_operation(
    conditions: list[dict[str, Any]], steps: list[dict[str, Any]], expected: OperationState
) -> None:
    made = TenantRestore.parse(restore_body(conditions=conditions, steps=steps))
    assert policies.state_of(made.status) is expected
    assert policies.restore_view(made).state is expected
    assert policies.under_way(made) is not expected.ended


def test_a_failure_ended_with_its_last_step() -> None:
    """Its condition has been false since the beginning."""
    steps = [{"name": "dump", "state": "Failed", "finishedAt": "2026-11-22T11:58:07Z"}]
    body = backup_body(conditions=[condition("Complete", "False", "Failed")], steps=steps)
    view = policies.backup_view(TenantBackup.parse(body))
    assert view.ended_at == datetime(2026, 11, 22, 11, 58, 7, tzinfo=UTC)


def test_what_is_under_way_has_no_end() -> None:
    body = backup_body(conditions=[condition("Complete", "False", "Running")], steps=DONE)
    assert policies.backup_view(TenantBackup.parse(body)).ended_at is None


@pytest.mark.parametrize(
    ("prefix", "restorable"), [("abcdefghij/backups/7/", True), (None, False)], ids=["its own", "unchanged"]
)
def test_only_a_backup_that_holds_something_can_be_brought_back(prefix: str | None, restorable: bool) -> None:  # noqa: FBT001  a case's
    body = backup_body(conditions=[condition("Complete")], prefix=prefix)
    assert policies.backup_view(TenantBackup.parse(body)).restorable is restorable


def test_a_schedules_backup_says_so() -> None:
    body = backup_body()
    assert not policies.backup_view(TenantBackup.parse(body)).scheduled
    body["metadata"]["labels"] = {"vivero.dev/scheduled": "2026-11-29T02.30Z"}
    assert policies.backup_view(TenantBackup.parse(body)).scheduled


def test_only_a_backup_that_waits_for_a_bucket_says_that_there_is_none() -> None:
    def none(reason: str, status: str = "False") -> bool:
        body = backup_body(conditions=[condition("Complete", status, reason)])
        return policies.has_no_bucket([], [TenantBackup.parse(body)])

    assert none("NotConfigured")
    assert not none("Running")
    assert not none("Failed")
    assert not none("BackedUp", "True")
    assert not policies.has_no_bucket([], [])


def test_the_name_of_an_object_follows_from_its_order() -> None:
    acme = tenant("acme")
    name = policies.object_name(acme, "back-up", "key")
    assert name.startswith("acme-")
    assert policies.object_name(acme, "back-up", "key") == name
    others = {
        policies.object_name(acme, "back-up", "other"),
        policies.object_name(acme, "bring-back", "key"),
        policies.object_name(tenant("brisa"), "back-up", "key"),
    }
    assert len(others | {name}) == 4


@given(st.from_regex(r"\A[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\Z"), st.text())
def test_it_is_a_name_whatever_the_tenant_is_called(name: str, key: str) -> None:
    found = policies.object_name(tenant(name), "back-up", key)
    TenantBackup.parse(backup_body(found))
    assert len(found) <= 63
    assert ".." not in found.removeprefix(name[:40])


def order(**changes: Any) -> BringBack:  # noqa: ANN401  fields of any type
    return BringBack(**{"reason": "asked", "target": Target(slug="acme-then", tenant="acme-then"), **changes})


def at_fault(wanted: BringBack, recovery: RecoveryView | None = None) -> dict[str, str]:
    errors = policies.check(wanted, now=NOW, recovery=recovery, restorable={"kept"})
    return {one.field: one.message for one in errors}


SINCE = RecoveryView(begins=NOW - timedelta(days=14), ends=None, last_proof=None, proof_result=None, message="")


@pytest.mark.parametrize(
    ("changes", "recovery", "fields"),
    [
        ({}, SINCE, set()),
        ({"backup": "kept"}, SINCE, set()),
        ({"time": NOW}, SINCE, set()),
        ({"time": NOW - timedelta(days=14)}, SINCE, set()),
        ({"time": NOW - timedelta(days=14, seconds=1)}, SINCE, {"time"}),
        ({"time": NOW - timedelta(days=900)}, None, set()),
        ({"time": datetime.min.replace(tzinfo=UTC)}, SINCE, {"time"}),
        ({"time": NOW + timedelta(seconds=1)}, None, {"time"}),
        ({"time": NOW, "backup": "kept"}, None, {"time"}),
        ({"backup": "of somebody else"}, None, {"backup"}),
        ({"target": Target(slug="admin", tenant="acme-then")}, None, {"target.slug"}),
        ({"target": Target(slug="acme-then", tenant="-")}, None, {"target.tenant"}),
        ({"target": Target(slug="acme-then", tenant="a" * 64)}, None, {"target.tenant"}),
        ({"target": Target(slug="acme-then", tenant="a\n")}, None, {"target.tenant"}),
        (
            {"time": NOW + timedelta(1), "backup": "no", "target": Target(slug="A", tenant="B")},
            None,
            {"time", "backup", "target.slug", "target.tenant"},
        ),
    ],
)
def test_what_may_be_asked_for(changes: dict[str, Any], recovery: RecoveryView | None, fields: set[str]) -> None:
    assert at_fault(order(**changes), recovery).keys() == fields


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"backup": "kept"}, set()),
        ({"time": NOW}, set()),
        ({}, {"time"}),
        ({"time": NOW, "target": Target(slug="acme-then", in_place=True)}, {"target.in_place"}),
        ({"time": NOW, "target": Target(tenant="acme-then", in_place=True)}, {"target.in_place"}),
    ],
)
def test_in_place_needs_a_moment_and_no_name(changes: dict[str, Any], fields: set[str]) -> None:
    assert at_fault(order(**{"target": Target(in_place=True), **changes})).keys() == fields


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({}, set()),
        ({"time": NOW}, set()),
        ({"backup": "kept"}, set()),
        ({"target": Target(slug="acme-then", as_of=True)}, {"target.as_of"}),
        ({"target": Target(tenant="acme-then", as_of=True)}, {"target.as_of"}),
        ({"time": NOW, "target": Target(in_place=True, as_of=True)}, {"target.in_place"}),
    ],
)
def test_a_look_needs_no_name(changes: dict[str, Any], fields: set[str]) -> None:
    assert at_fault(order(**{"target": Target(as_of=True), **changes})).keys() == fields


def test_a_part_of_a_second_is_refused() -> None:
    """To the whole one before it would lack what was committed in between."""
    moment = NOW - timedelta(seconds=1, milliseconds=1)
    assert "whole second" in at_fault(order(time=moment))["time"]


def test_a_second_that_is_too_old_says_which_is_the_first() -> None:
    assert "2026-11-08 12:00:00 UTC" in at_fault(order(time=NOW - timedelta(days=30)), SINCE)["time"]


def test_the_name_is_the_slug_where_none_is_given() -> None:
    assert policies.resolved(Target(slug=" Acme-Then ")) == Target(slug="acme-then", tenant="acme-then")
    assert policies.resolved(Target(slug="acme-then", tenant=" Other ")).tenant == "other"


@given(st.from_regex(r"\A[a-z][a-z0-9-]{1,38}[a-z0-9]\Z").filter(lambda slug: slug_problem(slug) is None))
def test_the_proposed_address_is_one(slug: str) -> None:
    proposed = policies.proposed_slug(slug, NOW)
    assert slug_problem(proposed) is None
    assert len(proposed) <= SLUG_MAX_LENGTH
    assert proposed.endswith("-20261122")
