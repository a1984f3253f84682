"""Which kind of body an address reads: Litestar itself would parse whatever looks like JSON."""

from typing import Any, Final

from litestar import Request

from vivero_data.errors import MediaTypeError

JSON: Final = "application/json"
MULTIPART: Final = "multipart/form-data"


def require_media_type(request: Request[Any, Any, Any], wanted: str) -> None:
    """Refuse a body of another kind; no body is no matter of kind.

    Raises:
        MediaTypeError: naming the kind that is read here.
    """
    has_body = "transfer-encoding" in request.headers or request.headers.get("content-length", "0") != "0"
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if has_body and given != wanted:
        raise MediaTypeError(f"Send the body as {wanted}.")
