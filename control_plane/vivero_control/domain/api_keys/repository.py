"""SQL of the staff's API keys."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, update

from vivero_control.db.database import Repository
from vivero_control.db.tables import StaffApiKey


class StaffApiKeyRepository(Repository[StaffApiKey]):
    """Keys by who made them."""

    model_type = StaffApiKey

    async def of(self, staff_id: UUID) -> Sequence[StaffApiKey]:
        """The newest first."""
        statement = select(StaffApiKey).where(StaffApiKey.staff_id == staff_id).order_by(StaffApiKey.id.desc())
        return (await self.session.scalars(statement)).all()

    async def one(self, staff_id: UUID, number: int, *, locked: bool = False) -> StaffApiKey | None:
        return await self.get_one_or_none(id=number, staff_id=staff_id, with_for_update=locked)

    async def count(self, staff_id: UUID) -> int:
        statement = select(func.count()).where(StaffApiKey.staff_id == staff_id)
        return int(await self.session.scalar(statement) or 0)

    async def good(self, prefix: str, digest: str, now: datetime) -> StaffApiKey | None:
        """The key of a secret that is good now."""
        found = await self.get_one_or_none(prefix=prefix)
        if found is None or found.expires_at <= now:
            return None
        by_old = found.old_until is not None and found.old_until > now and found.old_digest == digest
        return found if found.digest == digest or by_old else None

    async def note_use(self, number: int, now: datetime) -> None:
        await self.session.execute(update(StaffApiKey).where(StaffApiKey.id == number).values(last_used_at=now))

    async def end_all(self, staff_id: UUID) -> None:
        """Every key of who is of the staff no more."""
        await self.session.execute(delete(StaffApiKey).where(StaffApiKey.staff_id == staff_id))
