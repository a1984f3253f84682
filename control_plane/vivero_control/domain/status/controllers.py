"""/api/v1/status for everybody; what staff announce there."""

from functools import partial
from typing import Annotated, Final

from litestar import Controller, get, post
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter
from vivero_web.declared import raises
from vivero_web.errors import InvalidInputError
from vivero_web.fields import LARGEST

from vivero_control.domain.staff.guards import StaffRequest, writes
from vivero_control.domain.staff.schemas import Scope
from vivero_control.domain.status.schemas import IncidentView, NewIncident, NewUpdate, StatusView
from vivero_control.domain.status.service import FRESH, StatusService
from vivero_control.lib.idempotency import Idempotency, Key, KeyBusyError

Number = Annotated[int, PathParameter(ge=1, le=LARGEST, description="Number of the incident.")]
_KEPT: Final = ResponseHeader(
    name="Cache-Control",
    value=f"max-age={FRESH.seconds}, public",
    description="For how many seconds anybody may keep it.",
)


class StatusController(Controller):
    """The status page for programs."""

    path = "/status"
    tags = ("Status",)

    @get(summary="How the service is, and was for 90 days", response_headers=[_KEPT])
    async def get_status(self, status: NamedDependency[StatusService]) -> StatusView:
        """Never an error: while our database does not answer, it is what was known last (`current` is false)."""
        return await status.view()


class IncidentController(Controller):
    """Incidents and planned maintenance, for staff; everybody reads them in the status."""

    path = "/status/incidents"
    tags = ("Status",)
    opt = writes(Scope.PUBLISH_STATUS)

    @post(summary="Announce an incident or maintenance")
    @raises(InvalidInputError, KeyBusyError)
    async def announce_incident(
        self,
        request: StaffRequest,
        status: NamedDependency[StatusService],
        idempotency: NamedDependency[Idempotency],
        data: JSONBody[NewIncident],
        idempotency_key: Key = None,
    ) -> IncidentView:
        """It is on the status page at once."""
        announce = partial(status.announce, data, request.user.email)
        return await idempotency.answered("announce-incident", idempotency_key, data, IncidentView, announce)

    @get("/{number:int}", summary="One incident with all that was said about it")
    async def get_incident(self, status: NamedDependency[StatusService], number: Number) -> IncidentView:
        return await status.incident(number)

    @post("/{number:int}/updates", summary="Say what is known of it now")
    @raises(InvalidInputError, KeyBusyError)
    async def update_incident(  # noqa: PLR0913, PLR0917  what a handler is given
        self,
        request: StaffRequest,
        status: NamedDependency[StatusService],
        idempotency: NamedDependency[Idempotency],
        number: Number,
        data: JSONBody[NewUpdate],
        idempotency_key: Key = None,
    ) -> IncidentView:
        """The state is one of its kind: an incident is investigated, identified, monitored or resolved."""
        say = partial(status.say, number, data, request.user.email)
        return await idempotency.answered("update-incident", idempotency_key, (number, data), IncidentView, say)
