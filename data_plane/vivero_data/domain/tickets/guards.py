"""The control plane's own questions, which it signs as it signs login tickets."""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from vivero_data.domain.tickets.service import TicketService

_Connection = ASGIConnection[Any, Any, Any, Any]


async def asked_for_usage(connection: _Connection, _: BaseRouteHandler) -> None:
    """Litestar guard of what the control plane reads for who manages the workspace from outside.

    Raises:
        NotSignedInError: the token is missing, expired, forged, or for another workspace or purpose.
    """
    await _check(connection, "usage")


async def asked_to_end_support(connection: _Connection, _: BaseRouteHandler) -> None:
    """Litestar guard of where the control plane tells that an owner has ended the access for support.

    Raises:
        NotSignedInError: as above.
    """
    await _check(connection, "support-end")


async def _check(connection: _Connection, purpose: str) -> None:
    tickets: TicketService = connection.app.state.services.tickets
    await tickets.check(connection.headers.get("authorization", "").removeprefix("Bearer "), purpose)
