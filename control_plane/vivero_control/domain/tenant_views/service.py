"""Views of the tenants' list, for staff: one's own, and those that others share."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from vivero_web.clock import Clock
from vivero_web.errors import InvalidInputError, NotAllowedError, NotFoundError
from vivero_web.text import tidy

from vivero_control.db.database import Database
from vivero_control.db.tables import SavedView
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.domain.tenant_views import policies
from vivero_control.domain.tenant_views.repository import Found, SavedViewRepository
from vivero_control.domain.tenant_views.schemas import NewView, TenantView, ViewList


class ViewNotFoundError(NotFoundError):
    """There is no such view, or it is another member's own."""

    def __init__(self) -> None:
        super().__init__("There is no such view.")


class TenantViews:
    """Each call is in the name of who is logged in."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def all(self, member: StaffView) -> ViewList:
        async with self._database.transaction() as session:
            found = await SavedViewRepository(session).visible(UUID(member.id))
        return ViewList(items=policies.in_order([_view(one, member) for one in found]))

    async def get(self, number: int, member: StaffView) -> TenantView:
        """Raises ViewNotFoundError."""
        async with self._database.transaction() as session:
            return _view(await _seen(session, number, member), member)

    async def make(self, new: NewView, member: StaffView) -> TenantView:
        """Raises InvalidInputError: the name is not good, or taken, or there are MOST already."""
        async with self._database.transaction() as session:
            views = SavedViewRepository(session)
            await views.lock_of(UUID(member.id))
            _check(new, await views.names(UUID(member.id)))
            made = SavedView(staff_id=UUID(member.id), made_at=self._clock())
            _write(made, new)
            await views.add(made)
            return _view(await _seen(session, made.id, member), member)

    async def change(self, number: int, new: NewView, member: StaffView) -> TenantView:
        """Raises InvalidInputError, ViewNotFoundError, NotAllowedError."""
        async with self._database.transaction() as session:
            found = await _changeable(session, number, member)
            _check(new, await SavedViewRepository(session).names(found[0].staff_id, but=number))
            _write(found[0], new)
            return _view(found, member)

    async def delete(self, number: int, member: StaffView) -> None:
        """Who saw it first sees every customer again. Raises ViewNotFoundError, NotAllowedError."""
        async with self._database.transaction() as session:
            await _changeable(session, number, member)
            await SavedViewRepository(session).remove(number)

    async def choose(self, number: int | None, member: StaffView) -> None:
        """What the member sees first; None: every customer. Raises InvalidInputError: there is no such view."""
        async with self._database.transaction() as session:
            views = SavedViewRepository(session)
            if number is not None and await views.one(UUID(member.id), number, locked=True) is None:
                raise InvalidInputError.of("view", "There is no such view.")
            await views.choose(UUID(member.id), number)


async def _seen(session: AsyncSession, number: int, member: StaffView) -> Found:
    found = await SavedViewRepository(session).one(UUID(member.id), number)
    if found is None:
        raise ViewNotFoundError
    return found


async def _changeable(session: AsyncSession, number: int, member: StaffView) -> Found:
    """Locked, and still there."""
    row, owner, _ = await _seen(session, number, member)
    if not policies.may_change(member, str(row.staff_id)):
        raise NotAllowedError(f"Only {owner} and admins change this view. Copy it to have one of your own.")
    await SavedViewRepository(session).lock_of(row.staff_id)
    return await _seen(session, number, member)


def _check(new: NewView, others: list[str]) -> None:
    if found := policies.problems(new, others):
        raise InvalidInputError.of_all(found)


def _write(row: SavedView, new: NewView) -> None:
    row.name, row.shared, row.wanted = tidy(new.name), new.shared, policies.written(new.wanted)


def _view(found: Found, member: StaffView) -> TenantView:
    row, owner, first = found
    return TenantView(
        id=row.id,
        name=row.name,
        shared=row.shared,
        owner=owner,
        is_own=str(row.staff_id) == member.id,
        may_change=policies.may_change(member, str(row.staff_id)),
        is_default=row.id == first,
        wanted=policies.read(row.wanted),
    )
