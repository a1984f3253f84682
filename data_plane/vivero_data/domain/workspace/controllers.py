"""`/internal/v1/workspace`: the operator sets the workspace's identity and owner."""

from litestar import Controller, Response, put
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED

from vivero_data.domain.owner.guards import operator_only
from vivero_data.domain.workspace.service import WorkspaceService, WorkspaceSettings, WorkspaceState


class WorkspaceController(Controller):
    """Behind the operator's token; not in the public OpenAPI document."""

    path = "/workspace"
    guards = (operator_only,)
    include_in_schema = False

    @put()
    async def configure(
        self, workspace: NamedDependency[WorkspaceService], data: JSONBody[WorkspaceSettings]
    ) -> Response[WorkspaceState]:
        """Store the identity, and create or change the owner's account."""
        state = await workspace.configure(data)
        made = state.owner is not None and state.owner.created
        return Response(state, status_code=HTTP_201_CREATED if made else HTTP_200_OK)
