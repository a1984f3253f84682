"""SQL about staff and their refresh tokens."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID, uuid4

from sqlalchemy import CursorResult, and_, delete, exists, select, update
from sqlalchemy.dialects.mysql import insert
from vivero_web.passwords import NO_PASSWORD

from vivero_control.db.database import Repository
from vivero_control.db.tables import RefreshToken, StaffLink, StaffMember, StaffSecondFactor


class StaffRepository(Repository[StaffMember]):
    """People who run the platform."""

    model_type = StaffMember

    async def by_email(self, email: str, *, locked: bool = False) -> StaffMember | None:
        """Whose address it is; `locked` as by the method of that name."""
        return await self.get_one_or_none(email=email.strip().lower(), with_for_update=locked)

    async def put(self, member: StaffMember) -> bool:
        """Whether the address was free; if somebody has it, nothing changes."""
        member.id = uuid4()
        await self.add_new([member])
        return await self.get_one_or_none(id=member.id) is not None

    async def active(self, staff_id: UUID) -> tuple[StaffMember, StaffSecondFactor | None] | None:
        """Who may be logged in, and the second factor: who is invited, for the first time or again, may not yet."""
        statement = (
            select(StaffMember, StaffSecondFactor)
            .outerjoin(
                StaffSecondFactor,
                and_(StaffSecondFactor.staff_id == StaffMember.id, StaffSecondFactor.active),
            )
            .where(StaffMember.id == staff_id, StaffMember.active, StaffMember.password_hash != NO_PASSWORD)
        )
        found = (await self.session.execute(statement)).one_or_none()
        return (found[0], found[1]) if found else None

    async def locked(self, *staff_ids: UUID) -> dict[UUID, StaffMember]:
        """Those of them that there are; nobody else changes one until the transaction ends.

        Always in the same order, so that concurrent transactions cannot deadlock.
        """
        which = select(StaffMember).where(StaffMember.id.in_(staff_ids)).order_by(StaffMember.id).with_for_update()
        return {member.id: member for member in await self.session.scalars(which)}

    async def with_links(self, *staff_ids: UUID) -> Sequence[tuple[StaffMember, datetime | None, bool]]:
        """Members by address, everybody when nobody is named: the end of the newest link, and whether logins need a code."""
        coded = exists().where(StaffSecondFactor.staff_id == StaffMember.id, StaffSecondFactor.active)
        statement = (
            select(StaffMember, StaffLink.expires_at, coded)
            .outerjoin(StaffLink, StaffLink.staff_id == StaffMember.id)
            .order_by(StaffMember.email)
        )
        if staff_ids:
            statement = statement.where(StaffMember.id.in_(staff_ids))
        rows = await self.session.execute(statement)
        return [(member, expires_at, bool(needs_code)) for member, expires_at, needs_code in rows]

    async def set_password(self, staff_id: UUID, password_hash: str) -> None:
        statement = update(StaffMember).where(StaffMember.id == staff_id).values(password_hash=password_hash)
        await self.session.execute(statement)


class RefreshTokenRepository(Repository[RefreshToken]):
    """Refresh tokens by digest."""

    model_type = RefreshToken

    async def locked(self, digest: str) -> RefreshToken | None:
        """Held until the transaction ends, so that of two exchanges at once one comes second."""
        return await self.session.get(RefreshToken, digest, with_for_update=True)

    async def lives(self, family: UUID) -> bool:
        """Whether the login has not been ended: ending one removes all its tokens."""
        statement = select(exists().where(RefreshToken.family == family))
        return bool(await self.session.scalar(statement))

    async def end_family(self, family: UUID) -> None:
        await self.session.execute(delete(RefreshToken).where(RefreshToken.family == family))

    async def end_all(self, staff_id: UUID, but: UUID | None = None) -> None:
        """Every login of this person, but for one."""
        ended = delete(RefreshToken).where(RefreshToken.staff_id == staff_id)
        await self.session.execute(ended if but is None else ended.where(RefreshToken.family != but))

    async def forget(self, before: datetime) -> int:
        statement = delete(RefreshToken).where(RefreshToken.expires_at < before)
        return cast("CursorResult[Any]", await self.session.execute(statement)).rowcount


class StaffLinkRepository(Repository[StaffLink]):
    """One-time links: one for each person, so that a newer one replaces what was sent before."""

    model_type = StaffLink

    async def put(self, staff_id: UUID, digest: str, expires_at: datetime) -> None:
        made = insert(StaffLink).values(staff_id=staff_id, digest=digest, expires_at=expires_at)
        await self.session.execute(made.on_duplicate_key_update(digest=digest, expires_at=expires_at))

    async def void(self, staff_id: UUID) -> None:
        """What was sent opens nothing any more."""
        await self.session.execute(delete(StaffLink).where(StaffLink.staff_id == staff_id))

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
