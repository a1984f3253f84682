"""What has to be noted while it happens: page loads of the landing page, and workspaces that have worked."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, date
from typing import Final

from vivero_core.model.constants import LABEL_SIGNUP
from vivero_core.model.tenant import Tenant
from vivero_web.clock import Clock
from vivero_web.errors import UnavailableError

from vivero_control.db.database import Database
from vivero_control.domain.accounts.usage import Usage
from vivero_control.domain.figures.policies import first_shown, has_first_value, is_active, source_of
from vivero_control.domain.figures.repository import OTHER, JourneyRepository, VisitRepository
from vivero_control.domain.leads.policies import FROM_USAGE, seen_in
from vivero_control.domain.leads.repository import SignRepository
from vivero_control.domain.signups.access import signup_digest
from vivero_control.domain.signups.leads import Lead
from vivero_control.domain.tenants.repository import TenantRepository

logger = logging.getLogger(__name__)

AT_ONCE: Final = 20
"""Workspaces that are asked beside each other: as many as there are connections."""
HELD: Final = 1000
"""Sources that a process counts apart before it writes."""


class VisitCounter:
    """Counts page loads by day, source and campaign in memory, and adds them to the table; no visitor is told from another.

    What was counted since the last write goes with a process that crashes.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._held: Counter[tuple[date, tuple[str, str]]] = Counter()

    def count(self, lead: Lead) -> None:
        """One page load."""
        day = self._clock().astimezone(UTC).date()
        name = (day, source_of(lead.said))
        self._held[name if name in self._held or len(self._held) < HELD else (day, (OTHER, ""))] += 1

    async def write(self) -> None:
        """Add what was counted; without the database it is kept. Raises DatabaseUnavailableError."""
        for day, found in _by_day(self._held).items():
            async with self._database.transaction() as session:
                await VisitRepository(session).count(day, found)
            self._held.subtract({(day, name): visits for name, visits in found.items()})
        self._held = +self._held

    async def close(self) -> None:
        """At the end of the process: a last write, once."""
        try:
            await self.write()
        except UnavailableError:
            logger.warning("page loads were not written", extra={"count": self._held.total()})


def _by_day(counted: Mapping[tuple[date, tuple[str, str]], int]) -> dict[date, dict[tuple[str, str], int]]:
    found: dict[date, dict[tuple[str, str], int]] = {}
    for (day, name), visits in counted.items():
        found.setdefault(day, {})[name] = visits
    return found


class JourneyTask:
    """Notes whose workspace has worked, and what it says of its use: it may be gone when that is counted.

    Of its use only the moments are kept in which something was first seen: a record, that it is active, signs of a lead.
    """

    def __init__(
        self,
        database: Database,
        tenants: TenantRepository,
        usage: Callable[[Tenant], Awaitable[Usage | None]],
        clock: Clock,
    ) -> None:
        self._database = database
        self._tenants = tenants
        self._usage = usage
        self._clock = clock

    async def run(self) -> None:
        """Raises UnavailableError: the next run notes it."""
        since = first_shown(self._clock())
        async with self._database.transaction() as session:
            waiting = {signup_digest(one): one for one in await JourneyRepository(session).without(since)}
            rows = await JourneyRepository(session).followed(since, len(FROM_USAGE))
            followed = {one.tenant_uid: one.signup_id for one in rows}
        if not waiting and not followed:
            return
        worked = [one for one in await self._tenants.all() if _has_worked(one)]
        new = {one.metadata.uid: waiting[_signup(one)] for one in worked if _signup(one) in waiting}
        async with self._database.transaction() as session:
            for uid, signup_id in new.items():
                await JourneyRepository(session).put(signup_id, uid, self._clock())
        journeys = followed | new
        asked = [one for one in worked if one.metadata.uid in journeys]
        for some in (asked[start : start + AT_ONCE] for start in range(0, len(asked), AT_ONCE)):
            await asyncio.gather(*(self._note_use(one, journeys[one.metadata.uid]) for one in some))

    async def _note_use(self, tenant: Tenant, signup_id: str) -> None:
        usage, now = await self._usage(tenant), self._clock()
        if usage is None:
            return
        has_value, signs = has_first_value(usage.records.used), seen_in(usage)
        active = is_active(usage.records.used, usage.users.used)
        if not has_value and not signs:
            return
        async with self._database.transaction() as session:
            await SignRepository(session).note(signup_id, signs, now)
            if has_value:
                first, busy = now, now if active else None
                await JourneyRepository(session).note_use(signup_id, first_value_at=first, active_at=busy)


def _has_worked(tenant: Tenant) -> bool:
    return not tenant.is_spare and tenant.status.proven_at is not None


def _signup(tenant: Tenant) -> str:
    return tenant.metadata.labels.get(LABEL_SIGNUP, "")
