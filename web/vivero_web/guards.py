"""What is refused before a request is looked at: bodies of another kind, and forms of other people's pages."""

from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from vivero_web.declared import WRITES, raises
from vivero_web.errors import CrossSiteError, UnsupportedMediaTypeError
from vivero_web.security import is_same_origin

Connection = ASGIConnection[Any, Any, Any, Any]

JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"


def require_media_type(connection: Connection, wanted: str) -> None:
    """Refuse a body of another kind; no body is no matter of kind, nor is one that nobody reads.

    A form sent from a foreign page never reaches an API that reads JSON: it cannot say so without CORS.

    Raises:
        UnsupportedMediaTypeError: naming the kind that is read here.
    """
    headers = connection.headers
    if connection.scope.get("method") not in WRITES:
        return
    has_body = "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
    given = headers.get("content-type", "").partition(";")[0].strip().lower()
    if has_body and given != wanted:
        raise UnsupportedMediaTypeError(f"Send the body as {wanted}.")


@raises(UnsupportedMediaTypeError, on_writes=True)
async def json_only(connection: Connection, _: BaseRouteHandler) -> None:
    """Litestar guard of routes that read JSON.

    Raises:
        UnsupportedMediaTypeError: the body is of another kind.
    """
    require_media_type(connection, JSON)


@raises(CrossSiteError, on_writes=True)
async def same_origin_only(connection: Connection, _: BaseRouteHandler) -> None:
    """Litestar guard of routes whose handlers trust a cookie: refuses forms sent from elsewhere (CSRF).

    Raises:
        CrossSiteError: no page of ours sent it.
    """
    if not is_same_origin(str(connection.scope.get("method", "GET")), connection.headers):
        raise CrossSiteError("The form was not sent from this site.")
