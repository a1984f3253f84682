"""Somebody of the staff: who it is, by what name the audit log knows them, and what a login of theirs is bound to."""

from typing import cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from vivero_web.passwords import NO_PASSWORD
from vivero_web.tokens import digest

from vivero_control.db.tables import StaffMember, StaffSecondFactor
from vivero_control.domain.audit.service import AuditAction
from vivero_control.domain.staff.repository import StaffRepository
from vivero_control.domain.staff.schemas import Role, StaffView


async def present(session: AsyncSession, staff_id: str, *, required: bool) -> StaffView | None:
    """Who may be logged in by this id; None also for what is no id. `required` as in `view`."""
    try:
        key = UUID(staff_id)
    except ValueError:
        return None
    found = await StaffRepository(session).active(key)
    return view(*found, required=required) if found else None


def of_staff(action: str, member: StaffView | StaffMember) -> AuditAction:
    """What a member does to their own account."""
    return AuditAction(actor=member.email, action=action, subject=staff_subject(member.id), reason="", detail={})


def staff_subject(staff_id: UUID | str) -> str:
    """The audit log's name for an account."""
    return f"staff/{staff_id}"


def can_log_in(member: StaffMember) -> bool:
    return member.active and has_password(member)


def has_password(member: StaffMember) -> bool:
    """False before an invitation is accepted, and after a deactivation."""
    return member.password_hash != NO_PASSWORD


def view(member: StaffMember, factor: StaffSecondFactor | None = None, *, required: bool = False) -> StaffView:
    """Who that is; `factor` is the one that is active, `required` whether everybody needs one."""
    return StaffView(
        id=str(member.id),
        email=member.email,
        role=cast("Role", member.role),
        stamp=security_stamp(member.password_hash, factor.secret if factor else b""),
        lacks_second_factor=required and factor is None,
    )


def security_stamp(password_hash: str, sealed: bytes) -> str:
    """Binds a login to the password and the second factor it was made with: any change of one of them ends the login.

    It reveals nothing about either: the hash is salted, the secret sealed, and this is a part of their digest.
    """
    return digest(password_hash + sealed.hex()).hex()[:32]
