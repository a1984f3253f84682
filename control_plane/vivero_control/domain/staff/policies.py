"""Who may manage the staff, and the state of an invitation: decisions, no I/O, the time passed in."""

from datetime import datetime
from typing import Final
from uuid import UUID

from vivero_web.errors import NotAllowedError

from vivero_control.domain.staff.errors import AcceptedError, DeactivatedError, OwnAccountError
from vivero_control.domain.staff.schemas import Invitation, InvitationState, Role, Scope, StaffView
from vivero_control.jobs.repository import DEAD, PENDING

DECIDE_STAFF: Final = "see and decide who is of the staff"
OPERATE: Final = "back workspaces up and bring them back"
SELL: Final = "make quotes and decide about contracts"
ENTER_COSTS: Final = "say what channels cost"
CONNECT: Final = "see and decide which programs are told of tenants"

_OF_ADMINS: Final = frozenset({Scope.BACK_UP, Scope.SELL})
"""What only admins do, as the guards of the routes say."""


def require_admin(member: StaffView, to: str = DECIDE_STAFF) -> None:
    """Refuse everybody but admins; `to` says what only they do.

    Raises:
        NotAllowedError: saying who can give the right.
    """
    if member.role != "admin":
        raise NotAllowedError(f"Only admins {to}. Your role is {member.role}; ask an admin.")


def scopes_open_to(role: Role) -> list[Scope]:
    """What a member of this role can make an API key for."""
    return [scope for scope in Scope if role == "admin" or scope not in _OF_ADMINS]


def require_scope(member: StaffView, scope: Scope | None) -> None:
    """Refuse a key that was not made for this; None is what no key does.

    Raises:
        NotAllowedError: saying what it lacks.
    """
    if member.scopes is None:
        return
    if scope is None:
        raise NotAllowedError("No API key may do this. Log in.")
    if scope not in member.scopes:
        raise NotAllowedError(f"This API key lacks the scope {scope}.")


def forbid_own_account(actor: StaffView, staff_id: UUID) -> None:
    """Refuse changes of one's own account: only an active admin makes changes, so one always remains.

    Raises:
        OwnAccountError: it is the actor's own account.
    """
    if actor.id == str(staff_id):
        raise OwnAccountError


def require_invited(*, active: bool, has_password: bool) -> None:
    """Refuse actions on an invitation that is not pending.

    Raises:
        AcceptedError: they have a password.
        DeactivatedError: they have neither.
    """
    if has_password:
        raise AcceptedError
    if not active:
        raise DeactivatedError


def invitation(job: str | None, expires_at: datetime | None, now: datetime) -> Invitation:
    """The state of an invitation.

    Args:
        job: state of the newest job that sends it; None when its row is gone.
        expires_at: of the newest link; None when there is none.
        now: the time.
    """
    if job in {PENDING, DEAD}:
        state = InvitationState.SENDING if job == PENDING else InvitationState.UNSENT
    else:
        state = InvitationState.SENT if expires_at is not None and now < expires_at else InvitationState.EXPIRED
    return Invitation(state=state, expires_at=expires_at)
