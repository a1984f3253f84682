"""The price list over the API."""

from litestar import Controller, get
from litestar.datastructures import CacheControlHeader
from litestar.di import NamedDependency

from vivero_control.domain.plans.schemas import PlanView
from vivero_control.domain.plans.service import PlanService

FIVE_MINUTES = 300


class PlanController(Controller):
    """What there is to buy."""

    path = "/plans"
    tags = ("Plans",)

    @get(summary="The price list, cheapest first", cache_control=CacheControlHeader(public=True, max_age=FIVE_MINUTES))
    async def list_plans(self, plans: NamedDependency[PlanService]) -> tuple[PlanView, ...]:
        return plans.offered()
