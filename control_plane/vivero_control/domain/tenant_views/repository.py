"""SQL of saved views."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, or_, select
from sqlalchemy.dialects.mysql import insert

from vivero_control.db.database import Repository
from vivero_control.db.tables import SavedView, SavedViewChoice, StaffMember

Found = tuple[SavedView, str, int | None]
"""A view, the e-mail of who made it, and the number of the view that the reader sees first."""


class SavedViewRepository(Repository[SavedView]):
    """Views by who made them."""

    model_type = SavedView

    async def visible(self, staff_id: UUID) -> Sequence[Found]:
        """Those that one member sees."""
        return await self._found(_seen_by(staff_id), staff_id)

    async def one(self, staff_id: UUID, number: int, *, locked: bool = False) -> Found | None:
        """The same of one; locked, it stays until the transaction ends."""
        if locked:
            await self.get_one_or_none(id=number, with_for_update=True)
        rows = await self._found(_seen_by(staff_id) & (SavedView.id == number), staff_id)
        return rows[0] if rows else None

    async def lock_of(self, staff_id: UUID) -> None:
        """Held until the transaction ends: the views of one member are counted and written by one at a time."""
        await self.session.execute(select(StaffMember.id).where(StaffMember.id == staff_id).with_for_update())

    async def names(self, staff_id: UUID, but: int | None = None) -> list[str]:
        """What the views of one member are called, without one of them."""
        statement = select(SavedView.name).where(SavedView.staff_id == staff_id, SavedView.id != (but or 0))
        return list(await self.session.scalars(statement))

    async def remove(self, number: int) -> None:
        await self.session.execute(delete(SavedView).where(SavedView.id == number))

    async def choose(self, staff_id: UUID, number: int | None) -> None:
        """What a member sees first; None: no view."""
        if number is None:
            await self.session.execute(delete(SavedViewChoice).where(SavedViewChoice.staff_id == staff_id))
            return
        fresh = insert(SavedViewChoice).values(staff_id=staff_id, view_id=number)
        await self.session.execute(fresh.on_duplicate_key_update(view_id=number))

    async def _found(self, which: ColumnElement[bool], staff_id: UUID) -> Sequence[Found]:
        chosen = select(SavedViewChoice.view_id).where(SavedViewChoice.staff_id == staff_id).scalar_subquery()
        statement: Select[Any] = (
            select(SavedView, StaffMember.email, chosen)
            .join(StaffMember, StaffMember.id == SavedView.staff_id)
            .where(which)
        )
        return [(view, email, first) for view, email, first in await self.session.execute(statement)]


def _seen_by(staff_id: UUID) -> ColumnElement[bool]:
    return or_(SavedView.staff_id == staff_id, SavedView.shared)
