"""`/api/v1/dashboards`."""

from typing import Annotated

from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter
from vivero_web.declared import raises
from vivero_web.fields import LARGEST

from vivero_data.domain.auth.guards import needs
from vivero_data.domain.dashboards.schemas import Dashboard, DashboardChanges, NewDashboard
from vivero_data.domain.dashboards.service import DashboardService, DashboardsFullError
from vivero_data.domain.users.schemas import Actor, Permission
from vivero_data.errors import PlanFeatureError
from vivero_data.lib.pages import DEFAULT_LIMIT, Page, PageCursor, PageLimit

DashboardId = Annotated[int, PathParameter(ge=1, le=LARGEST, description="The dashboard's number.")]


class DashboardController(Controller):
    """Tiles of reports, lists and texts."""

    path = "/dashboards"
    tags = ("Dashboards",)

    @get()
    async def list_dashboards(
        self,
        actor: NamedDependency[Actor],
        dashboards: NamedDependency[DashboardService],
        limit: PageLimit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> Page[Dashboard]:
        """The caller's own dashboards and the shared ones, the newest first."""
        return await dashboards.list(actor, limit, cursor)

    @post(guards=[needs(Permission.WRITE_RECORDS)])
    @raises(DashboardsFullError, PlanFeatureError)
    async def create_dashboard(
        self, actor: NamedDependency[Actor], dashboards: NamedDependency[DashboardService], data: JSONBody[NewDashboard]
    ) -> Dashboard:
        """Make a dashboard."""
        return await dashboards.create(actor, data)

    @get("/{dashboard_id:int}")
    async def get_dashboard(
        self, actor: NamedDependency[Actor], dashboards: NamedDependency[DashboardService], dashboard_id: DashboardId
    ) -> Dashboard:
        """One dashboard and its tiles."""
        return await dashboards.get(actor, dashboard_id)

    @patch("/{dashboard_id:int}", guards=[needs(Permission.WRITE_RECORDS)])
    async def update_dashboard(
        self,
        actor: NamedDependency[Actor],
        dashboards: NamedDependency[DashboardService],
        dashboard_id: DashboardId,
        data: JSONBody[DashboardChanges],
    ) -> Dashboard:
        """Change parts of a dashboard; others' only for administrators."""
        return await dashboards.update(actor, dashboard_id, data)

    @delete("/{dashboard_id:int}", guards=[needs(Permission.WRITE_RECORDS)])
    async def delete_dashboard(
        self, actor: NamedDependency[Actor], dashboards: NamedDependency[DashboardService], dashboard_id: DashboardId
    ) -> None:
        """Remove a dashboard; others' only for administrators."""
        await dashboards.delete(actor, dashboard_id)
