"""How the platform stands, over the API, for staff."""

from litestar import Controller, get
from litestar.di import NamedDependency

from vivero_control.domain.overview.service import OverviewService, PlatformOverview


class OverviewApiController(Controller):
    """The overview of the console."""

    path = "/overview"
    tags = ("Overview",)

    @get(summary="Customers, trials, what failed and the room for more, as they are now")
    async def get_overview(self, overview: NamedDependency[OverviewService]) -> PlatformOverview:
        return await overview.now()
