"""The price list over the API."""

from typing import Final

from litestar import Controller, get
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency

from vivero_control.domain.plans.service import PlanService, PlanView

_KEPT: Final = ResponseHeader(
    name="Cache-Control", value="max-age=300, public", description="For how many seconds anybody may keep it."
)


class PlanController(Controller):
    """What there is to buy."""

    path = "/plans"
    tags = ("Plans",)

    @get(summary="The price list, cheapest first", response_headers=[_KEPT])
    async def list_plans(self, plans: NamedDependency[PlanService]) -> tuple[PlanView, ...]:
        return plans.offered()
