"""Permissions for staff management, and states of invitations."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.control_plane.builders import NOW
from vivero_control.domain.staff import policies
from vivero_control.domain.staff.errors import AcceptedError, DeactivatedError, OwnAccountError
from vivero_control.domain.staff.schemas import InvitationState, StaffView
from vivero_control.jobs.repository import DEAD, DONE, PENDING
from vivero_web.errors import NotAllowedError

ADA = StaffView(id=str(UUID(int=7)), email="ada@vivero.example", role="admin")
GOOD, OVER = NOW + timedelta(seconds=1), NOW


def test_only_admins_decide() -> None:
    policies.require_admin(ADA)
    support = StaffView(id=ADA.id, email=ADA.email, role="support")
    with pytest.raises(NotAllowedError, match="Your role is support; ask an admin"):
        policies.require_admin(support)


def test_nobody_decides_about_themselves() -> None:
    policies.forbid_own_account(ADA, uuid4())
    with pytest.raises(OwnAccountError):
        policies.forbid_own_account(ADA, UUID(ADA.id))


@pytest.mark.parametrize(
    ("active", "has_password", "refusal"),
    [(True, False, None), (True, True, AcceptedError), (False, True, AcceptedError), (False, False, DeactivatedError)],
)
def test_only_members_without_a_password_are_invited_again(
    *, active: bool, has_password: bool, refusal: type[Exception] | None
) -> None:
    if refusal is None:
        policies.require_invited(active=active, has_password=has_password)
    else:
        with pytest.raises(refusal):
            policies.require_invited(active=active, has_password=has_password)


@pytest.mark.parametrize(
    ("job", "expires_at", "state"),
    [
        (PENDING, None, InvitationState.SENDING),
        (PENDING, GOOD, InvitationState.SENDING),
        (DEAD, GOOD, InvitationState.UNSENT),
        (DONE, GOOD, InvitationState.SENT),
        (DONE, OVER, InvitationState.EXPIRED),
        (None, GOOD, InvitationState.SENT),
        (None, OVER, InvitationState.EXPIRED),
        (None, None, InvitationState.EXPIRED),
    ],
)
def test_an_invitations_state_follows_from_mail_and_link(
    job: str | None, expires_at: datetime | None, state: InvitationState
) -> None:
    assert policies.invitation(job, expires_at, NOW).state is state


@given(
    st.sampled_from([PENDING, DEAD, DONE, None]),
    st.none() | st.datetimes().map(lambda one: one.replace(tzinfo=NOW.tzinfo)),
)
def test_it_never_counts_as_sent_without_a_valid_link(job: str | None, expires_at: datetime | None) -> None:
    found = policies.invitation(job, expires_at, NOW)
    assert found.expires_at == expires_at
    if found.state is InvitationState.SENT:
        assert expires_at is not None
        assert expires_at > NOW
