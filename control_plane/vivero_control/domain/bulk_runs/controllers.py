"""/api/v1/tenant-orders/matching, for staff."""

from functools import partial
from typing import Annotated

from litestar import Controller, Response, get, post
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter
from litestar.status_codes import HTTP_202_ACCEPTED
from vivero_web.declared import raises
from vivero_web.errors import InvalidInputError
from vivero_web.fields import LARGEST

from vivero_control.domain.bulk_runs.schemas import NewRun, OthersMatchError, RunView
from vivero_control.domain.bulk_runs.service import BulkRuns
from vivero_control.domain.staff.guards import StaffRequest, writes
from vivero_control.domain.staff.schemas import Scope
from vivero_control.lib.idempotency import Idempotency, Key, KeyBusyError

_LOCATION = [ResponseHeader(name="Location", description="Where it is followed.", documentation_only=True)]
RunNumber = Annotated[int, PathParameter(ge=1, le=LARGEST, description="Number of the order.")]


class BulkRunController(Controller):
    """Orders for all tenants that match a filter."""

    path = "/tenant-orders/matching"
    tags = ("Tenants",)
    opt = writes(Scope.MANAGE_TENANTS)

    @post(
        status_code=HTTP_202_ACCEPTED,
        summary="Suspend, resume or extend all that match",
        response_headers=_LOCATION,
    )
    @raises(InvalidInputError, OthersMatchError, KeyBusyError)
    async def give_run(
        self,
        request: StaffRequest,
        bulk_runs: NamedDependency[BulkRuns],
        idempotency: NamedDependency[Idempotency],
        data: JSONBody[NewRun],
        idempotency_key: Key = None,
    ) -> Response[RunView]:
        """Carried out by jobs, one tenant after the other; each is decided, written and audited by itself."""
        give = partial(bulk_runs.give, data, request.user)
        made = await idempotency.answered("order-for-many", idempotency_key, data, RunView, give)
        return Response(made, headers={"Location": f"/api/v1/tenant-orders/matching/{made.id}"})

    @get("/{run:int}", summary="How far such an order is")
    async def get_run(self, bulk_runs: NamedDependency[BulkRuns], run: RunNumber) -> RunView:
        return await bulk_runs.get(run)
