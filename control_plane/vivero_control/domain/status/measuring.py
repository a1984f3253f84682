"""What the status page shows is measured here, by the worker, once a minute.

A customer's way is taken where there is one: through the ingress. What cannot be written while the database is away is
kept, and written when it is back, so that its own outage is on the page.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from prometheus_client import Gauge
from vivero_core.errors import ViveroError
from vivero_core.model.tenant import Tenant
from vivero_web.clock import Clock
from vivero_web.errors import UnavailableError

from vivero_control.db.database import Database
from vivero_control.domain.billing.errors import ProviderRefusedError
from vivero_control.domain.signups.provisioning import KIND as PROVISIONING
from vivero_control.domain.signups.reachability import Ingress
from vivero_control.domain.status import policies
from vivero_control.domain.status.repository import StatusDayRepository
from vivero_control.domain.status.schemas import Component, ComponentState
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_control.jobs.repository import OutboxRepository

logger = logging.getLogger(__name__)

ASKED: Final = 20
"""Workspaces that are asked in one minute, drawn by lot."""
LISTED_FOR: Final = timedelta(minutes=5)
"""For so long a list of all Tenants is used again."""
ARCHIVED_WITHIN: Final = timedelta(hours=3)
"""The operator writes at the latest every hour how far the archive has come."""
KEPT: Final = 24 * 60
"""Minutes that wait for the database."""
SECONDS: Final = 15.0
"""For all that is measured of one component."""
_OK: Final = 200

states = Gauge("vivero_control_component_up", "1 as measured last: operational; 0.5 degraded; 0 outage", ["component"])
_FIGURES: Final = {ComponentState.OPERATIONAL: 1.0, ComponentState.DEGRADED: 0.5, ComponentState.OUTAGE: 0.0}

Measured = Mapping[Component, ComponentState]
Probe = Callable[[datetime], Awaitable[ComponentState | None]]
"""What is measured of a component at a moment; None where there is nothing to measure."""


class Probes:
    """One for each component."""

    def __init__(
        self,
        *,
        database: Database,
        tenants: TenantRepository,
        ingress: Ingress,
        host: str,
        ask_provider: Callable[[], Awaitable[None]] | None,
    ) -> None:
        self._database = database
        self._tenants = tenants
        self._ingress = ingress
        self._host = host
        self._ask_provider = ask_provider
        self._listed: list[Tenant] = []
        self._listed_at: datetime | None = None

    def all(self) -> Mapping[Component, Probe]:
        return {
            Component.SIGNUP: self.signup,
            Component.WORKSPACES: self.workspaces,
            Component.API: self.api,
            Component.PAYMENTS: self.payments,
            Component.BACKUPS: self.backups,
        }

    async def signup(self, now: datetime) -> ComponentState:
        """The form answers, the database takes a signup, and none waits long for its workspace."""
        page = await self._ingress.status(self._host, "/signup")
        try:
            async with self._database.transaction() as session:
                oldest = await OutboxRepository(session).oldest_waiting(PROVISIONING, now)
        except UnavailableError:
            return ComponentState.OUTAGE
        return policies.of_signups(page_answers=page == _OK, waiting=now - oldest if oldest else timedelta(0))

    async def workspaces(self, now: datetime) -> ComponentState | None:
        """Some of those that have worked before and are in service, each at its own address, twice if need be."""
        serving = [one for one in await self._all(now) if is_in_service(one)]
        asked = random.sample(serving, min(ASKED, len(serving)))
        answers = await asyncio.gather(*map(self._answers, asked))
        return policies.of_share(sum(answers), len(asked))

    async def api(self, now: datetime) -> ComponentState:
        """What a program asks first."""
        del now
        return policies.of_answer(await self._ingress.status(self._host, "/api/v1/plans") == _OK)

    async def payments(self, now: datetime) -> ComponentState | None:
        """The provider answers us, and does not refuse us: then nobody can pay either."""
        del now
        if self._ask_provider is None:
            return None
        try:
            await self._ask_provider()
        except (UnavailableError, ProviderRefusedError):
            return ComponentState.OUTAGE
        return ComponentState.OPERATIONAL

    async def backups(self, now: datetime) -> ComponentState | None:
        """The share of workspaces whose archive goes on, and can be restored as far as anybody has tried."""
        archived = [one.status.recovery for one in await self._all(now) if not one.is_spare and one.status.recovery]
        current = [
            one for one in archived if one.ends and now - one.ends <= ARCHIVED_WITHIN and one.proof_result != "Failed"
        ]
        return policies.of_share(len(current), len(archived))

    async def _answers(self, tenant: Tenant) -> bool:
        slug = tenant.spec.slug or ""
        return await self._ingress.probe(slug, tenant.id) or await self._ingress.probe(slug, tenant.id)

    async def _all(self, now: datetime) -> list[Tenant]:
        """Every Tenant, some minutes old at most.

        Raises:
            UnavailableError: the cluster does not answer.
        """
        if self._listed_at is None or now - self._listed_at >= LISTED_FOR:
            self._listed = await self._tenants.all()
            self._listed_at = now
        return self._listed


def is_in_service(tenant: Tenant) -> bool:
    """Whether its owner expects it to answer."""
    return (
        not tenant.is_spare
        and tenant.status.proven_at is not None
        and tenant.spec.suspended is None
        and tenant.metadata.deletion_timestamp is None
    )


class StatusTask:
    """One measurement a minute, however often it is run."""

    def __init__(self, database: Database, probes: Mapping[Component, Probe], clock: Clock) -> None:
        self._database = database
        self._probes = probes
        self._clock = clock
        self._minute: datetime | None = None
        self._waiting: deque[tuple[datetime, Measured]] = deque(maxlen=KEPT)

    async def run(self) -> None:
        """Measure this minute, and write it with those that could not be written before.

        Raises:
            UnavailableError: they wait for the next run.
        """
        now = self._clock()
        minute = now.replace(second=0, microsecond=0)
        if minute != self._minute:
            self._waiting.append((minute, await self._measure(now)))
            self._minute = minute
        if self._waiting:
            await self._write()

    async def _measure(self, now: datetime) -> Measured:
        found = await asyncio.gather(*(_measured(component, probe, now) for component, probe in self._probes.items()))
        measured = {component: state for component, state in zip(self._probes, found, strict=True) if state is not None}
        for component, state in measured.items():
            states.labels(component).set(_FIGURES[state])
        return measured

    async def _write(self) -> None:
        async with self._database.transaction() as session:
            days = StatusDayRepository(session)
            for minute, measured in self._waiting:
                for component, state in measured.items():
                    await days.count(component, minute, state)
        self._waiting.clear()


async def _measured(component: Component, probe: Probe, now: datetime) -> ComponentState | None:
    """What the probe says; None where it could not ask: that says nothing about the component."""
    try:
        async with asyncio.timeout(SECONDS):
            state = await probe(now)
    except (ViveroError, TimeoutError) as error:
        logger.warning("a component could not be measured: %s", error, extra={"component": component})
        return None
    if state in {ComponentState.OUTAGE, ComponentState.DEGRADED}:
        logger.warning(
            "a component of the service does not work as it should: %s", state, extra={"component": component}
        )
    return state
