"""Somebody of the staff as admins see them: the account, its link and the job that mails it, put together."""

from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from vivero_control.db.tables import StaffMember
from vivero_control.domain.staff import policies
from vivero_control.domain.staff.errors import MemberNotFoundError
from vivero_control.domain.staff.identity import has_password, staff_subject
from vivero_control.domain.staff.jobs import INVITATION
from vivero_control.domain.staff.repository import StaffRepository
from vivero_control.domain.staff.schemas import Invitation, Member, Role
from vivero_control.jobs.repository import OutboxRepository


async def member(session: AsyncSession, staff_id: UUID, now: datetime) -> Member:
    """One of them.

    Raises:
        MemberNotFoundError: there is none of this id.
    """
    found = await members(session, now, staff_id)
    if not found:
        raise MemberNotFoundError
    return found[0]


async def members(session: AsyncSession, now: datetime, *staff_ids: UUID) -> tuple[Member, ...]:
    """Those of these ids, or everybody, by address."""
    rows = await StaffRepository(session).with_links(*staff_ids)
    jobs = await OutboxRepository(session).newest_states(INVITATION, [staff_subject(row.id) for row, _, _ in rows])

    def invitation(row: StaffMember, expires_at: datetime | None) -> Invitation | None:
        if not row.active or has_password(row):
            return None
        return policies.invitation(jobs.get(staff_subject(row.id)), expires_at, now)

    return tuple(
        Member(
            id=row.id,
            email=row.email,
            role=cast("Role", row.role),
            active=row.active,
            created_at=row.created_at,
            invitation=invitation(row, expires_at),
            second_factor=needs_code,
        )
        for row, expires_at, needs_code in rows
    )
