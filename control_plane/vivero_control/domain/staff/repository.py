"""SQL about staff and their refresh tokens."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CursorResult, delete
from sqlalchemy.exc import IntegrityError

from vivero_control.db.repository import Repository
from vivero_control.db.tables import RefreshToken, StaffMember


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

    async def forget(self, before: datetime) -> int:
        statement = delete(RefreshToken).where(RefreshToken.expires_at < before)
        return cast("CursorResult[Any]", await self.session.execute(statement)).rowcount
