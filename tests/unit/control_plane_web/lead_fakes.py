"""Leads with made-up signs."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import cycle
from uuid import UUID

from unit.control_plane_web.figure_fakes import prospect
from unit.control_plane_web.status_fakes import NOW
from vivero_control.domain.figures.policies import Prospect
from vivero_control.domain.leads import policies
from vivero_control.domain.leads.errors import LeadNotFoundError
from vivero_control.domain.leads.policies import Candidate
from vivero_control.domain.leads.schemas import Calibration, LeadDetail, LeadQuery, LeadRow, Owner, Sign
from vivero_control.domain.leads.service import LeadService
from vivero_control.domain.tenants.schemas import Page
from vivero_web.errors import InvalidInputError

MEMBERS = (
    Owner(id=UUID(int=1), email="ada@vivero.example"),
    Owner(id=UUID(int=2), email="grace.with-a-long-name.and-a-longer-one@customer-success.vivero.example"),
)
NAMES = (
    "Northwind Traders",
    "Brisa Solar, S.L.",
    "株式会社ビベロ",
    "שתילים בע״מ",
    "Donaudampfschifffahrtsgesellschaft mbH",
)


def candidate(
    number: int = 0,
    signs: Iterable[Sign] = (),
    owner: Owner | None = None,
    days: float = 3,
    found: Prospect | None = None,
) -> Candidate:
    """Signed up so many days ago; each sign was seen an hour after it."""
    one = found or prospect(number, days, source="newsletter", campaign="spring")
    seen = dict.fromkeys(signs, one.created_at + timedelta(hours=1))
    return Candidate(prospect=one, signs=seen, owner=owner, assigned_at=NOW if owner else None, told=0)


def _some() -> list[Candidate]:
    """Sixty that are open, and of forty the outcome is known."""
    order, names, owners = tuple(Sign), cycle(NAMES), cycle((*MEMBERS, None))
    made = [
        candidate(
            number,
            order[: number % (len(order) + 1)],
            next(owners),
            found=prospect(number, 1 + number * 0.4, company=next(names), source="newsletter", campaign="spring"),
        )
        for number in range(60)
    ]
    for number in range(60, 100):
        signs = order[: number % 12]
        paid = NOW - timedelta(days=20) if number % 12 > 6 else None
        made.append(candidate(number, signs, found=prospect(number, 50, paid_at=paid)))
    return made


class FakeLeads(LeadService):
    """Over candidates in memory; keeps who was given what."""

    def __init__(self, known: Sequence[Candidate] | None = None) -> None:
        self.known = _some() if known is None else known
        self.assigned: list[tuple[str, UUID | None, str]] = []

    async def page(self, query: LeadQuery) -> Page[LeadRow]:
        found = policies.listed(self.known, query, NOW)
        items = tuple(found[query.offset : query.offset + query.limit])
        return Page(items=items, total=len(found), limit=query.limit, offset=query.offset)

    async def get(self, signup_id: str) -> LeadDetail:
        found = next((one for one in self.known if one.prospect.id == signup_id), None)
        if found is None:
            raise LeadNotFoundError
        return LeadDetail(lead=policies.row(found, NOW), table=policies.table(found.signs))

    async def calibration(self) -> Calibration:
        return policies.calibration(self.known, NOW)

    async def members(self) -> Sequence[Owner]:
        return MEMBERS

    async def assign(self, signup_id: str, staff_id: UUID | None, actor: str) -> LeadDetail:
        if staff_id is not None and staff_id not in {one.id for one in MEMBERS}:
            raise InvalidInputError.of("staff_id", "There is nobody of that id among the staff who can log in.")
        self.assigned.append((signup_id, staff_id, actor))
        return await self.get(signup_id)
