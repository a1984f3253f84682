"""`/internal/v1/owner`: the operator makes the first account."""

from litestar import Controller, Response, put
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED

from vivero_data.domain.owner.guards import operator_only
from vivero_data.domain.owner.schemas import OwnerAccount, OwnerState
from vivero_data.domain.owner.service import OwnerService


class OwnerController(Controller):
    """Behind the operator's token; not in the public OpenAPI document."""

    path = "/owner"
    guards = (operator_only,)
    include_in_schema = False

    @put()
    async def ensure_owner(
        self, owner: NamedDependency[OwnerService], data: JSONBody[OwnerAccount]
    ) -> Response[OwnerState]:
        """Create the owner, or do nothing."""
        state = await owner.ensure(data)
        return Response(state, status_code=HTTP_201_CREATED if state.created else HTTP_200_OK)
