"""Dashboards for staff: asks Prometheus for every panel at once, and each that gets no answer says so by itself."""

import asyncio
from datetime import datetime
from typing import Final

from vivero_web.clock import Clock
from vivero_web.errors import NotFoundError

from vivero_control.domain.monitoring import drawing
from vivero_control.domain.monitoring.drawing import Grid
from vivero_control.domain.monitoring.panels import Dashboard, Panel, Query, Shape, asked
from vivero_control.domain.monitoring.prometheus import NoAnswerError, Prometheus, Sample, Series
from vivero_control.domain.monitoring.schemas import DashboardView, Drawn, FiringAlert, Span
from vivero_control.domain.tenants.directory import TenantDirectory

OVER_TIME: Final = frozenset({Shape.LINES, Shape.STACK})
OFFERED: Final = 200
"""Names of tenants that a page proposes; any other can be typed."""


class MonitoringService:
    """`prometheus` is None where this installation has named none."""

    def __init__(self, prometheus: Prometheus | None, directory: TenantDirectory, clock: Clock) -> None:
        self._prometheus = prometheus
        self._directory = directory
        self._clock = clock

    @property
    def is_on(self) -> bool:
        return self._prometheus is not None

    def tenants(self) -> tuple[str, ...]:
        """Names of tenants to choose from, without spares."""
        return tuple(sorted(one.name for one in self._directory.all() if one.spec.slug is not None)[:OFFERED])

    async def view(self, dashboard: Dashboard, span: Span, tenant: str = "") -> DashboardView:
        """A dashboard with all alerts that fire; `tenant` is the name of one, for the dashboard of a tenant.

        Raises:
            NotFoundError: no tenant has this name, or nothing is set up (`is_on`).
        """
        if self._prometheus is None:
            raise NotFoundError("No Prometheus is set up.")
        asking = _Asking(self._prometheus, self._id_of(tenant) if dashboard.of_tenant else "", span, self._clock())
        async with asyncio.TaskGroup() as group:
            alerts = group.create_task(asking.alerts())
            panels = [group.create_task(asking.panel(one)) for one in dashboard.panels]
        fire, problem = alerts.result()
        return DashboardView(
            dashboard=dashboard,
            span=span,
            at=asking.now,
            panels=tuple(one.result() for one in panels),
            alerts=fire,
            alerts_problem=problem,
        )

    def _id_of(self, tenant: str) -> str:
        """Of which nothing else than letters and digits gets into a question."""
        found = self._directory.get(tenant)
        if found is None:
            raise NotFoundError("No tenant has this name.")
        return found.id


class _Asking:
    """All questions of one look: of one moment, about one tenant at most."""

    def __init__(self, prometheus: Prometheus, tenant_id: str, span: Span, now: datetime) -> None:
        self._prometheus = prometheus
        self._tenant_id = tenant_id
        self._grid = Grid.of(span, now)
        self.now = now

    async def panel(self, panel: Panel) -> Drawn:
        try:
            if panel.shape in OVER_TIME:
                return drawing.over_time(panel, [(one, await self._between(one)) for one in panel.queries], self._grid)
            return drawing.newest(panel, [(one, await self._newest(one)) for one in panel.queries], self.now)
        except NoAnswerError as error:
            return Drawn(panel=panel, problem=str(error))

    async def alerts(self) -> tuple[tuple[FiringAlert, ...], str]:
        """Those that fire, or why it is not known."""
        try:
            return drawing.firing(await self._prometheus.alerts()), ""
        except NoAnswerError as error:
            return (), str(error)

    async def _between(self, query: Query) -> tuple[Series, ...]:
        grid = self._grid
        return await self._prometheus.between(self._worded(query), grid.begin, grid.end, grid.step)

    async def _newest(self, query: Query) -> tuple[Sample, ...]:
        return await self._prometheus.newest(self._worded(query), int(self.now.timestamp()))

    def _worded(self, query: Query) -> str:
        return asked(query, self._tenant_id, self._grid.rate_seconds)
