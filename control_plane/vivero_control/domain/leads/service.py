"""Leads as staff see them: the list, one of them, what the score was worth, and who is to look after which."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from vivero_web.clock import Clock
from vivero_web.errors import InvalidInputError

from vivero_control.db.database import Database
from vivero_control.domain.audit.service import DONE, AuditAction, AuditRepository, record
from vivero_control.domain.figures.policies import first_shown
from vivero_control.domain.leads import policies
from vivero_control.domain.leads.errors import LeadNotFoundError
from vivero_control.domain.leads.policies import Candidate
from vivero_control.domain.leads.repository import LeadRepository, candidates
from vivero_control.domain.leads.schemas import Calibration, LeadDetail, LeadQuery, LeadRow, Owner
from vivero_control.domain.signups.access import signup_digest
from vivero_control.domain.tenants.policies import signup_subject
from vivero_control.domain.tenants.schemas import Page

ASSIGN = "assign-lead"


class LeadService:
    """For staff. Leads are the signups of the weeks that the figures show."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def page(self, query: LeadQuery) -> Page[LeadRow]:
        found = policies.listed(await self._all(), query, self._clock())
        items = tuple(found[query.offset : query.offset + query.limit])
        return Page(items=items, total=len(found), limit=query.limit, offset=query.offset)

    async def get(self, signup_id: str) -> LeadDetail:
        """Raises LeadNotFoundError."""
        found = next((one for one in await self._all() if one.prospect.id == signup_id), None)
        if found is None:
            raise LeadNotFoundError
        return LeadDetail(lead=policies.row(found, self._clock()), table=policies.table(found.signs))

    async def calibration(self) -> Calibration:
        return policies.calibration(await self._all(), self._clock())

    async def members(self) -> Sequence[Owner]:
        """Whom a lead can be given to."""
        async with self._database.transaction() as session:
            return await LeadRepository(session).members()

    async def assign(self, signup_id: str, staff_id: UUID | None, actor: str) -> LeadDetail:
        """Give it to somebody, or to nobody; in the audit log beside what else was done to that tenant.

        Raises:
            LeadNotFoundError: there is none of this id.
            InvalidInputError: there is nobody of that id who can log in.
        """
        before = await self.get(signup_id)
        async with self._database.transaction() as session:
            route = await LeadRepository(session).locked(signup_id)
            owner = next((one for one in await LeadRepository(session).members() if one.id == staff_id), None)
            if staff_id is not None and owner is None:
                raise InvalidInputError.of("staff_id", "There is nobody of that id among the staff who can log in.")
            if route.staff_id != staff_id:
                route.staff_id, route.assigned_at = staff_id, self._clock() if owner else None
                await note(session, actor, before.lead.id, owner, self._clock())
        return await self.get(signup_id)

    async def _all(self) -> list[Candidate]:
        async with self._database.transaction() as session:
            return await candidates(session, first_shown(self._clock()))


async def note(session: AsyncSession, actor: str, signup_id: str, owner: Owner | None, now: datetime) -> None:
    """Who is to look after a lead from now on, in the audit log."""
    act = AuditAction(
        actor=actor,
        action=ASSIGN,
        subject=signup_subject(signup_digest(signup_id)),
        reason="",
        detail={"to": owner.email if owner else ""},
    )
    await AuditRepository(session).add(record(act, now, DONE))
