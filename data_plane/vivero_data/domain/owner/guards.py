"""The operator's bearer token."""

import hmac
from typing import Any

from litestar.connection import ASGIConnection
from litestar.datastructures import Headers
from litestar.handlers import BaseRouteHandler
from vivero_web.errors import NotSignedInError

from vivero_data.settings import Settings


def operator_only(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Litestar guard of /internal.

    Raises:
        NotSignedInError: the token is missing or wrong.
    """
    settings: Settings = connection.app.state.settings
    if not is_operator(settings.app.operator_token, connection.headers):
        raise NotSignedInError("This needs the operator's token.")


def is_operator(token: str, headers: Headers) -> bool:
    """Whether a request with these headers comes from the operator."""
    expected = f"Bearer {token}"
    return hmac.compare_digest(headers.get("authorization", "").encode(), expected.encode())
