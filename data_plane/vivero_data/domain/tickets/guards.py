"""The control plane's own questions, which it signs as it signs login tickets."""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from vivero_data.domain.tickets.service import TicketService


async def asked_for_usage(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Litestar guard of what the control plane reads for who manages the workspace from outside.

    Raises:
        NotSignedInError: the token is missing, expired, forged, or for another workspace or purpose.
    """
    tickets: TicketService = connection.app.state.services.tickets
    await tickets.check(connection.headers.get("authorization", "").removeprefix("Bearer "), "usage")
