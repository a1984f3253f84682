"""The console's page Operations: dashboards whose figures come from Prometheus, and the alerts that fire."""

from typing import Any, Final

from litestar import Controller, Request, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.response import Template
from litestar.status_codes import HTTP_200_OK, HTTP_404_NOT_FOUND
from vivero_ui.filters import with_query
from vivero_web.errors import NotFoundError

from vivero_control.domain.monitoring.dashboards import DASHBOARDS
from vivero_control.domain.monitoring.panels import Dashboard
from vivero_control.domain.monitoring.schemas import DashboardView, Span
from vivero_control.domain.monitoring.service import MonitoringService
from vivero_control.domain.staff.guards import session_staff
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.web.panels import ShownPanel
from vivero_control.web.staff_shell import OPERATIONS, shell

SPANS: Final = {
    Span.HOUR: "1 hour",
    Span.SIX_HOURS: "6 hours",
    Span.DAY: "24 hours",
    Span.WEEK: "7 days",
}
_FIRST: Final = next(iter(DASHBOARDS))
_NAME_LETTERS: Final = 253
"""Of an object of Kubernetes."""


class OperationsController(Controller):
    """Behind the staff login."""

    path = OPERATIONS
    include_in_schema = False
    dependencies = {"member": Provide(session_staff)}  # noqa: RUF012  Litestar's own declaration

    @get(["/", "/{name:str}"], name="operations")
    async def page(
        self,
        request: Request[Any, Any, Any],
        member: NamedDependency[StaffView],
        monitoring: NamedDependency[MonitoringService],
        name: FromPath[str] = _FIRST,
    ) -> Template:
        if name not in DASHBOARDS:
            raise NotFoundError("There is no such dashboard.")
        dashboard, span = DASHBOARDS[name], _span(request.query_params.get("range", ""))
        tenant = request.query_params.get("tenant", "").strip()[:_NAME_LETTERS]
        view, problem = await _found(monitoring, dashboard, span, tenant)
        query = {"range": span, "tenant": tenant}
        context: dict[str, Any] = {
            "shell": shell(member, OPERATIONS),
            "here": f"{OPERATIONS}/{name}",
            "tabs": [
                (one.title, with_query(f"{OPERATIONS}/{one.name}", query), one is dashboard)
                for one in DASHBOARDS.values()
            ],
            "spans": [
                (words, with_query(f"{OPERATIONS}/{name}", query | {"range": one}), one is span)
                for one, words in SPANS.items()
            ],
            "is_on": monitoring.is_on,
            "dashboard": dashboard,
            "span": span,
            "tenant": tenant,
            "tenants": monitoring.tenants() if dashboard.of_tenant else (),
            "problem": problem,
            "view": view,
            "panels": [ShownPanel(one, span) for one in view.panels] if view else [],
            "again": with_query(f"{OPERATIONS}/{name}", query),
        }
        return Template(
            "pages/operations.html.j2",
            context=context,
            status_code=HTTP_404_NOT_FOUND if problem else HTTP_200_OK,
        )


async def _found(
    monitoring: MonitoringService, dashboard: Dashboard, span: Span, tenant: str
) -> tuple[DashboardView | None, str]:
    """The dashboard, or what is wrong with the tenant that was asked for; neither where one has to be chosen first."""
    if not monitoring.is_on or (dashboard.of_tenant and not tenant):
        return None, ""
    try:
        return await monitoring.view(dashboard, span, tenant), ""
    except NotFoundError as error:
        return None, error.detail


def _span(text: str) -> Span:
    """Of an address that a person may have changed: what is none is the shortest."""
    return Span(text) if text in set(Span) else Span.HOUR
