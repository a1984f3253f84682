"""What has to be noted while it happens: page loads of the landing page, and workspaces that have worked."""

import logging
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date
from typing import Final

from vivero_core.model.constants import LABEL_SIGNUP
from vivero_core.model.tenant import Tenant
from vivero_web.clock import Clock
from vivero_web.errors import UnavailableError

from vivero_control.db.database import Database
from vivero_control.domain.figures.policies import first_shown, source_of
from vivero_control.domain.figures.repository import OTHER, JourneyRepository, VisitRepository
from vivero_control.domain.signups.access import signup_digest
from vivero_control.domain.signups.leads import Lead
from vivero_control.domain.tenants.repository import TenantRepository

logger = logging.getLogger(__name__)

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
    """Notes whose workspace has worked: the Tenant that says so may be gone when somebody counts."""

    def __init__(self, database: Database, tenants: TenantRepository, clock: Clock) -> None:
        self._database = database
        self._tenants = tenants
        self._clock = clock

    async def run(self) -> int:
        """Returns how many were noted."""
        since = first_shown(self._clock())
        async with self._database.transaction() as session:
            waiting = {signup_digest(one): one for one in await JourneyRepository(session).without(since)}
        if not waiting:
            return 0
        worked = [one for one in await self._tenants.all() if _has_worked(one) and _signup(one) in waiting]
        async with self._database.transaction() as session:
            for one in worked:
                await JourneyRepository(session).put(waiting[_signup(one)], one.metadata.uid, self._clock())
        return len(worked)


def _has_worked(tenant: Tenant) -> bool:
    return not tenant.is_spare and tenant.status.proven_at is not None


def _signup(tenant: Tenant) -> str:
    return tenant.metadata.labels.get(LABEL_SIGNUP, "")
