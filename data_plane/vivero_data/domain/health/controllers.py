"""`/healthz`, `/readyz`, `/healthz/{id}`, and `/internal/v1/proof`."""

from typing import Annotated, Final, TypeVar

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT, HTTP_503_SERVICE_UNAVAILABLE

from vivero_data.domain.health.schemas import Health, Proof, Readiness
from vivero_data.domain.health.service import HealthService
from vivero_data.domain.owner.guards import operator_only
from vivero_data.settings import Settings

NOT_READY: Final = ResponseSpec(Readiness, description="A backing service does not answer.")
R = TypeVar("R", bound=Readiness)


Neighbour = Annotated[str | None, QueryParameter(pattern="^[a-z2-7]{10}$", description="Another workspace's id.")]


def health_response(found: R) -> Response[R]:
    """The same body whether healthy or not; the status differs."""
    return Response(found, status_code=HTTP_200_OK if found.ok else HTTP_503_SERVICE_UNAVAILABLE)


class HealthController(Controller):
    """Probes for the kubelet and the control plane."""

    tags = ("Health",)

    @get("/healthz")
    async def healthz(self) -> Health:
        """The process answers."""
        return Health()

    @get("/readyz", responses={503: NOT_READY})
    async def readyz(self, health: NamedDependency[HealthService]) -> Response[Readiness]:
        """The schema is current, and cache and bucket answer."""
        return health_response(await health.ready())

    @get("/healthz/{workspace_id:str}", status_code=HTTP_204_NO_CONTENT, include_in_schema=False, sync_to_thread=False)
    def here(self, workspace_id: FromPath[str], settings: NamedDependency[Settings]) -> None:
        """For the control plane, which checks that the public address routes to this workspace.

        The caller passes the workspace's id: it is not a secret, but we do not disclose it either.
        """
        if workspace_id != settings.env.tenant_id:
            raise NotFoundException


class ProofController(Controller):
    """For the operator, behind its token."""

    path = "/proof"
    guards = (operator_only,)
    include_in_schema = False

    @get()
    async def proof(self, health: NamedDependency[HealthService], neighbour: Neighbour = None) -> Response[Proof]:
        """Use every backing service with the workspace's credentials, and check that a neighbour's data is denied."""
        return health_response(await health.prove(neighbour))
