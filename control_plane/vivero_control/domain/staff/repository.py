"""SQL about staff and their refresh tokens."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.dialects.mysql import insert
from sqlalchemy.exc import IntegrityError

from vivero_control.db.repository import Repository
from vivero_control.db.tables import RefreshToken, StaffLink, StaffMember


class StaffRepository(Repository[StaffMember]):
    """People who run the platform."""

    model_type = StaffMember

    async def by_email(self, email: str) -> StaffMember | None:
        return await self.get_one_or_none(email=email.strip().lower())

    async def put(self, member: StaffMember) -> None:
        """Two pods that seed at once: the second changes nothing."""
        try:
            async with self.session.begin_nested():
                await self.add(member)
        except IntegrityError:
            return

    async def active(self, staff_id: UUID) -> StaffMember | None:
        return await self.get_one_or_none(id=staff_id, active=True)

    async def set_password(self, staff_id: UUID, password_hash: str) -> None:
        statement = update(StaffMember).where(StaffMember.id == staff_id).values(password_hash=password_hash)
        await self.session.execute(statement)


class RefreshTokenRepository(Repository[RefreshToken]):
    """Refresh tokens by digest."""

    model_type = RefreshToken
    id_attribute = "digest"

    async def locked(self, digest: str) -> RefreshToken | None:
        """Held until the transaction ends, so that of two exchanges at once one comes second."""
        return await self.session.get(RefreshToken, digest, with_for_update=True)

    async def lives(self, family: UUID) -> bool:
        """Whether the login has not been ended: ending one removes all its tokens."""
        return await self.exists(RefreshToken.family == family)

    async def end_family(self, family: UUID) -> None:
        await self.session.execute(delete(RefreshToken).where(RefreshToken.family == family))

    async def end_all(self, staff_id: UUID) -> None:
        """Every login of this person."""
        await self.session.execute(delete(RefreshToken).where(RefreshToken.staff_id == staff_id))

    async def forget(self, before: datetime) -> int:
        statement = delete(RefreshToken).where(RefreshToken.expires_at < before)
        return cast("CursorResult[Any]", await self.session.execute(statement)).rowcount


class StaffLinkRepository(Repository[StaffLink]):
    """One-time links: one for each person, so that a newer one replaces what was sent before."""

    model_type = StaffLink
    id_attribute = "staff_id"

    async def put(self, staff_id: UUID, digest: str, expires_at: datetime) -> None:
        made = insert(StaffLink).values(staff_id=staff_id, digest=digest, expires_at=expires_at)
        await self.session.execute(made.on_duplicate_key_update(digest=digest, expires_at=expires_at))

    async def owner(self, digest: str, now: datetime) -> StaffMember | None:
        """Who may use this link now."""
        statement = (
            select(StaffMember)
            .join(StaffLink, StaffLink.staff_id == StaffMember.id)
            .where(StaffLink.digest == digest, StaffLink.expires_at > now, StaffMember.active)
        )
        return cast("StaffMember | None", await self.session.scalar(statement))

    async def spend(self, digest: str, now: datetime) -> bool:
        """Use it up; False when somebody was faster or it is too old."""
        statement = delete(StaffLink).where(StaffLink.digest == digest, StaffLink.expires_at > now)
        return cast("CursorResult[Any]", await self.session.execute(statement)).rowcount == 1
