"""/api/v1/acquisition, for staff."""

import datetime as dt
from typing import Annotated

from litestar import Controller, get, put
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter
from vivero_web.bodies import said
from vivero_web.declared import raises
from vivero_web.errors import InvalidInputError

from vivero_control.domain.acquisition.schemas import AcquisitionView, CostChanges, NewCosts
from vivero_control.domain.acquisition.service import Acquisition
from vivero_control.domain.figures.schemas import FigureRows
from vivero_control.domain.signups.leads import LONGEST
from vivero_control.domain.staff.guards import StaffRequest, admins_enter_costs, writes
from vivero_control.domain.staff.schemas import Scope


class AcquisitionController(Controller):
    """What a customer costs."""

    path = "/acquisition"
    tags = ("Figures",)
    opt = writes(Scope.SELL)

    @get(summary="What each channel costs, and what it brings")
    async def get_acquisition(self, acquisition: NamedDependency[Acquisition]) -> AcquisitionView:
        return await acquisition.view()

    @get("/signups", summary="Who signed up in a month and came by a channel")
    @raises(InvalidInputError)
    async def list_acquired(
        self,
        acquisition: NamedDependency[Acquisition],
        month: Annotated[str, QueryParameter(max_length=10, description="Its first day, such as 2026-11-01.")],
        channel: Annotated[str, QueryParameter(max_length=LONGEST, description="As the costs name it.")],
    ) -> FigureRows:
        day = said("month", month, dt.date, "a day such as 2026-11-01")
        if day is None:
            raise InvalidInputError.of("month", "Say which month.")
        return await acquisition.signups(day.replace(day=1), channel)

    @put("/costs", summary="Say what channels cost", guards=[admins_enter_costs])
    @raises(InvalidInputError)
    async def put_costs(
        self, request: StaffRequest, acquisition: NamedDependency[Acquisition], data: JSONBody[NewCosts]
    ) -> CostChanges:
        """Replaces what was said of the same months, channels and currencies, and answers with what is different now."""
        return await acquisition.put(data, request.user)
