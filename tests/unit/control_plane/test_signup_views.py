"""The view of a signup without a Tenant, at any age and in any state of its job."""

from datetime import timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET
from unit.control_plane.builders import NOW
from vivero_control.db.tables import Signup
from vivero_control.domain.signups.access import LoginTickets
from vivero_control.domain.signups.progress import RETRIED
from vivero_control.domain.signups.reachability import Reachability
from vivero_control.domain.signups.schemas import SignupView
from vivero_control.domain.signups.views import SignupViews
from vivero_control.domain.tenants.directory import TenantDirectory
from vivero_control.jobs.repository import DEAD, DONE, PENDING, JobStatus
from vivero_core.backends.kube.client import Listing

AGES = st.timedeltas(timedelta(0), timedelta(days=90))


def shown(age: timedelta, job: JobStatus | None, *, failure: str | None = None, synced: bool = True) -> SignupView:
    directory = TenantDirectory()
    if synced:
        directory.apply(Listing([], "0"))
    signup = Signup(
        id="5f2c", email="a@acme.example", company="Acme", slug="acme", plan="trial", created_at=NOW, failure=failure
    )
    views = SignupViews(
        directory,
        cast("Reachability", _Reached()),
        cast("LoginTickets", None),
        "https://{}.vivero.localhost".format,
        lambda: NOW + age,
    )
    return views.view(signup, job)


class _Reached:
    def reached(self, _: Any) -> bool:  # noqa: ANN401  whatever it is
        return True


@given(AGES, st.booleans(), st.none() | AGES)
def test_a_pending_job_is_shown_as_pending_at_any_age(
    age: timedelta,
    synced: bool,  # noqa: FBT001  drawn
    until: timedelta | None,
) -> None:
    due = NOW + age + timedelta(minutes=5)
    gives_up = NOW + until if until is not None else None
    view = shown(age, JobStatus(PENDING, due, gives_up), synced=synced)
    assert view.state == "provisioning"
    assert view.detail == RETRIED
    assert view.waiting is not UNSET
    assert (view.waiting.since, view.waiting.next_attempt_at) == (NOW, due)
    assert view.waiting.until == (UNSET if gives_up is None else gives_up)


@given(AGES, st.booleans())
def test_a_dead_letter_is_shown_as_failed_at_any_age(age: timedelta, synced: bool) -> None:  # noqa: FBT001  drawn
    view = shown(age, JobStatus(DEAD, NOW), synced=synced)
    assert view.state == "failed"
    assert "could not be made" in view.detail
    assert view.waiting is UNSET


@given(AGES, st.sampled_from([None, JobStatus(DEAD, NOW), JobStatus(DONE, NOW)]))
def test_a_recorded_reason_is_shown(age: timedelta, job: JobStatus | None) -> None:
    view = shown(age, job, failure="Somebody has it.")
    assert (view.state, view.detail) == ("failed", "Somebody has it.")


@pytest.mark.parametrize(
    ("age", "job", "synced", "state"),
    [
        (timedelta(seconds=5), None, True, "provisioning"),
        (timedelta(minutes=9), JobStatus(DONE, NOW, finished_at=NOW), True, "provisioning"),
        (timedelta(hours=9), JobStatus(DONE, NOW, finished_at=NOW + timedelta(hours=9)), True, "provisioning"),
        (timedelta(hours=9), JobStatus(DONE, NOW, finished_at=NOW), False, "provisioning"),
        (timedelta(minutes=11), JobStatus(DONE, NOW, finished_at=NOW), True, "failed"),
    ],
    ids=["in its request", "made at once", "made just now after hours", "no cluster in sight", "deleted since"],
)
def test_only_a_provisioned_workspace_can_be_gone(
    age: timedelta,
    job: JobStatus | None,
    synced: bool,  # noqa: FBT001  a column of the table
    state: str,
) -> None:
    view = shown(age, job, synced=synced)
    assert view.state == state
    assert view.waiting is UNSET
    assert ("does not exist any more" in view.detail) is (state == "failed")
