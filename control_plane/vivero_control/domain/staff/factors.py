"""SQL about the second factors of staff, and their recovery codes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CursorResult, delete, func, insert, select, update
from sqlalchemy.dialects.mysql import insert as put

from vivero_control.db.database import Repository
from vivero_control.db.tables import StaffRecoveryCode, StaffSecondFactor


class SecondFactorRepository(Repository[StaffSecondFactor]):
    """One for each person; not active until it was confirmed."""

    model_type = StaffSecondFactor

    async def active(self, staff_id: UUID) -> StaffSecondFactor | None:
        return await self.get_one_or_none(staff_id=staff_id, active=True)

    async def begin(self, staff_id: UUID, sealed: bytes, now: datetime) -> None:
        """One that is to be confirmed, in the place of one that was not."""
        fresh = {"secret": sealed, "active": False, "since": now, "last_step": 0}
        made = put(StaffSecondFactor).values(staff_id=staff_id, **fresh)
        await self.session.execute(made.on_duplicate_key_update(**fresh))

    async def spend_step(self, staff_id: UUID, step: int) -> bool:
        """Whether no code of this step or of a later one was used before: of concurrent uses one is the first."""
        statement = (
            update(StaffSecondFactor)
            .where(StaffSecondFactor.staff_id == staff_id, StaffSecondFactor.last_step < step)
            .values(last_step=step)
        )
        return await self._changes_one(statement)

    async def replace_codes(self, staff_id: UUID, digests: Sequence[bytes]) -> None:
        await self.session.execute(delete(StaffRecoveryCode).where(StaffRecoveryCode.staff_id == staff_id))
        rows = [{"staff_id": staff_id, "digest": one.hex()} for one in digests]
        await self.session.execute(insert(StaffRecoveryCode), rows)

    async def codes_left(self, staff_id: UUID) -> int:
        statement = select(func.count()).where(StaffRecoveryCode.staff_id == staff_id)
        return int(await self.session.scalar(statement) or 0)

    async def spend_code(self, staff_id: UUID, digest: bytes) -> bool:
        """Use a recovery code up; False if there is none such."""
        which = StaffRecoveryCode.digest == digest.hex(), StaffRecoveryCode.staff_id == staff_id
        return await self._changes_one(delete(StaffRecoveryCode).where(*which))

    async def end(self, staff_id: UUID) -> bool:
        """With its recovery codes; False if there is none that is active."""
        await self.session.execute(delete(StaffRecoveryCode).where(StaffRecoveryCode.staff_id == staff_id))
        which = StaffSecondFactor.staff_id == staff_id, StaffSecondFactor.active
        return await self._changes_one(delete(StaffSecondFactor).where(*which))

    async def _changes_one(self, statement: Any) -> bool:  # noqa: ANN401  of rows or of none
        return cast("CursorResult[Any]", await self.session.execute(statement)).rowcount == 1
