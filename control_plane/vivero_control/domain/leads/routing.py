"""The best trials are put before a person: a periodic task of the worker.

Level-based: each run looks at every open trial as it is. Under the lock of a lead's row it is given to who is next, if to
nobody yet, and the mail is written in the same transaction: once for each lead and threshold, however many workers run.
"""

import logging
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession
from vivero_web.clock import Clock

from vivero_control.db.database import Database
from vivero_control.db.tables import LeadRoute
from vivero_control.domain.figures.policies import first_shown
from vivero_control.domain.leads import policies
from vivero_control.domain.leads.policies import Candidate
from vivero_control.domain.leads.repository import LeadRepository, candidates
from vivero_control.domain.leads.schemas import LeadRow, Outcome, Owner
from vivero_control.domain.leads.service import note
from vivero_control.domain.notifications import mails
from vivero_control.domain.signups.access import signup_digest
from vivero_control.domain.tenants.policies import signup_subject
from vivero_control.lib.background import for_each

logger = logging.getLogger(__name__)

ACTOR = "leads"


class LeadTask:
    """One run over the open trials; `page_of` is the console's page of a lead."""

    def __init__(
        self, database: Database, wake_worker: Callable[[], None], page_of: Callable[[str], str], clock: Clock
    ) -> None:
        self._database = database
        self._wake_worker = wake_worker
        self._page_of = page_of
        self._clock = clock

    async def run(self) -> None:
        """Raises UnavailableError: the next run does it."""
        now = self._clock()
        async with self._database.transaction() as session:
            due = [one for one in await candidates(session, first_shown(now)) if is_due(one, now)]
        if due:
            await for_each("leads", due, lambda one: self._tell(policies.row(one, now), now), _name)
            self._wake_worker()

    async def _tell(self, lead: LeadRow, now: datetime) -> None:
        reached = policies.threshold(lead.score)
        async with self._database.transaction() as session:
            route = await LeadRepository(session).locked(lead.id)
            if route.told >= reached:
                return
            owner = await self._owner(session, route, lead, now)
            if owner is None:
                logger.warning("a lead waits: nobody of the staff can log in")
                return
            route.told = reached
            mail = mails.lead(
                lead.id,
                reached,
                to=owner.email,
                slug=lead.slug,
                score=lead.score,
                reasons=[one.words for one in lead.reasons],
                link=self._page_of(lead.id),
            )
            await mails.enqueue(session, mail, now, subject=signup_subject(signup_digest(lead.id)))

    async def _owner(self, session: AsyncSession, route: LeadRoute, lead: LeadRow, now: datetime) -> Owner | None:
        """Who has it, if they can still log in; else who is next."""
        leads = LeadRepository(session)
        if found := next((one for one in await leads.members() if one.id == route.staff_id), None):
            return found
        owner = await leads.in_turn()
        if owner is not None:
            route.staff_id, route.assigned_at = owner.id, now
            await note(session, ACTOR, lead.id, owner, now)
        return owner


def is_due(one: Candidate, now: datetime) -> bool:
    """Whether somebody is to be told of a trial that is still open."""
    open_still = policies.outcome(one.prospect, now) is Outcome.OPEN
    return open_still and policies.threshold(policies.score(one.signs, now)) > one.told


def _name(one: Candidate) -> str:
    return one.prospect.slug
