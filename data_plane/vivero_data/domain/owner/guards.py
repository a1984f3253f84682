"""The operator's bearer token."""

import hmac
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from vivero_web.errors import NotSignedInError

from vivero_data.settings import Settings


def operator_only(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Litestar guard of /internal.

    Raises:
        NotSignedInError: the token is missing or wrong.
    """
    settings: Settings = connection.app.state.settings
    given = connection.headers.get("authorization", "")
    expected = f"Bearer {settings.app.operator_token}"
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise NotSignedInError("This needs the operator's token.")
