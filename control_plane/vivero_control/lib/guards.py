"""What every API route refuses before it looks at the request."""

from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from vivero_control.errors import ControlPlaneError

_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})


class UnsupportedMediaTypeError(ControlPlaneError):
    """The body is not JSON, or does not say that it is."""

    status = 415
    title = "Unsupported media type"


def json_only(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """A form sent from a foreign page never reaches the API: it cannot say application/json without CORS."""
    if connection.scope.get("method") not in _WITH_BODY:
        return
    headers = connection.headers
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    if has_body and headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaTypeError("Send the body as application/json.")
