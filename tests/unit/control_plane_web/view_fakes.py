"""Saved views of the tenants' list in memory."""

from collections.abc import Sequence

from msgspec import structs
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.domain.tenant_views import policies
from vivero_control.domain.tenant_views.schemas import Column, NewView, TenantView, ViewList, Wanted
from vivero_control.domain.tenant_views.service import TenantViews, ViewNotFoundError
from vivero_control.domain.tenants.schemas import Only, TenantState
from vivero_web.errors import InvalidInputError, NotAllowedError


def view(number: int, name: str, **changes: object) -> TenantView:
    made = TenantView(
        id=number,
        name=name,
        shared=False,
        owner="ada@vivero.example",
        is_own=True,
        may_change=True,
        is_default=False,
        wanted=Wanted(),
    )
    return structs.replace(made, **changes)


VIEWS = (
    view(
        1,
        "Trials that end soon",
        wanted=Wanted(only=Only.TRIAL_ENDING, sort="trial_ends_at", descending=False, columns=(Column.TRIAL,)),
    ),
    view(2, "Closed", shared=True, wanted=Wanted(state=TenantState.SUSPENDED)),
    view(
        3,
        "Donaudampfschifffahrtsgesellschaft 株式会社ビベロ שתילים",
        shared=True,
        owner="grace.with-a-long-name.and-a-longer-one@customer-success.vivero.example",
        is_own=False,
        may_change=False,
        wanted=Wanted(search="northwind", plan="trial"),
    ),
)


class FakeTenantViews(TenantViews):
    """What one member sees; keeps what was written, and by whom."""

    def __init__(self, views: Sequence[TenantView] = VIEWS) -> None:
        self.views = {one.id: one for one in views}
        self.written: list[tuple[str, int | None, str]] = []

    async def all(self, member: StaffView) -> ViewList:
        del member
        return ViewList(items=policies.in_order(tuple(self.views.values())))

    async def get(self, number: int, member: StaffView) -> TenantView:
        del member
        if number not in self.views:
            raise ViewNotFoundError
        return self.views[number]

    async def make(self, new: NewView, member: StaffView) -> TenantView:
        self._check(new, None)
        number = max(self.views, default=0) + 1
        self.views[number] = view(number, new.name, shared=new.shared, wanted=new.wanted, owner=member.email)
        self.written.append(("make", number, member.email))
        return self.views[number]

    async def change(self, number: int, new: NewView, member: StaffView) -> TenantView:
        found = await self._changeable(number, member)
        self._check(new, number)
        self.views[number] = structs.replace(found, name=new.name, shared=new.shared, wanted=new.wanted)
        self.written.append(("change", number, member.email))
        return self.views[number]

    async def delete(self, number: int, member: StaffView) -> None:
        await self._changeable(number, member)
        del self.views[number]
        self.written.append(("delete", number, member.email))

    async def choose(self, number: int | None, member: StaffView) -> None:
        if number is not None and number not in self.views:
            raise InvalidInputError.of("view", "There is no such view.")
        self.views = {key: structs.replace(one, is_default=key == number) for key, one in self.views.items()}
        self.written.append(("choose", number, member.email))

    async def _changeable(self, number: int, member: StaffView) -> TenantView:
        found = await self.get(number, member)
        if not found.may_change:
            raise NotAllowedError("Only its owner and admins change this view.")
        return found

    def _check(self, new: NewView, but: int | None) -> None:
        others = [one.name for one in self.views.values() if one.is_own and one.id != but]
        if found := policies.problems(new, others):
            raise InvalidInputError.of_all(found)
