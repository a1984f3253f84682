"""problem+json (RFC 9457) from every error, ours and the framework's; pages get theirs from the web part."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from vivero_data.errors import DataPlaneError, FieldError, InvalidInputError
from vivero_data.lib.json import encode_bytes
from vivero_data.lib.request_context import request_id_of

MEDIA_TYPE: Final = "application/problem+json"
_API: Final = ("/api/", "/internal/", "/healthz", "/readyz", "/metrics", "/schema")
_SERVER_ERROR: Final = 500
_TYPE: Final = "urn:vivero:problem:"

AnyRequest = Request[Any, Any, Any]
PageRenderer = Callable[[AnyRequest, "Problem"], Response[Any]]
log = structlog.get_logger(__name__)


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the caller is told.

    Attributes:
        type: stable for programs.
        title: the same for every occurrence.
        status: HTTP status.
        detail: this occurrence, for a person.
        request_id: to quote when asking for help.
        errors: the input fields at fault.
    """

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    errors: tuple[FieldError, ...] = ()


def is_for_programs(path: str) -> bool:
    """Whether errors of this path are JSON, not a page."""
    return path.startswith(_API)


def problem_of(error: Exception, request_id: str) -> Problem:
    """The problem that an error is; an unknown one tells nothing of its inside."""
    if isinstance(error, HTTPException) and error.status_code < _SERVER_ERROR:
        fields = _field_errors(error.extra)
        if error.status_code != HTTPStatus.BAD_REQUEST or not fields:
            phrase = HTTPStatus(error.status_code).phrase
            slug = phrase.lower().replace(" ", "-")
            return Problem(f"{_TYPE}{slug}", phrase, error.status_code, error.detail or phrase, request_id)
        error = InvalidInputError.of_all(fields)
    if isinstance(error, UnicodeDecodeError):
        # Litestar lets this one out of its JSON decoder as it is.
        return Problem(f"{_TYPE}bad-request", "Bad Request", 400, "The body is not valid UTF-8.", request_id)
    if not isinstance(error, DataPlaneError):
        error = DataPlaneError("The request could not be finished. It was logged; quote the request id.")
    return Problem(f"{_TYPE}{error.slug}", error.title, error.status, error.detail, request_id, error.errors)


def make_handler(render_page: PageRenderer | None) -> Callable[[AnyRequest, Exception], Response[Any]]:
    """Litestar's exception handler for everything."""

    def handle(request: AnyRequest, error: Exception) -> Response[Any]:
        problem = problem_of(error, request_id_of(request.scope))
        if problem.status >= _SERVER_ERROR:
            log.error("request_failed", path=request.url.path, request_id=problem.request_id, exc_info=error)
        if render_page is not None and not is_for_programs(request.url.path):
            page = render_page(request, problem)
            page.headers.update(_headers(error))
            return page
        return Response(
            encode_bytes(problem),
            status_code=problem.status,
            media_type=MEDIA_TYPE,
            headers={**_headers(error), "cache-control": "no-store"},
        )

    return handle


def _headers(error: Exception) -> dict[str, str]:
    headers = getattr(error, "headers", None) or {}
    if isinstance(error, DataPlaneError) and error.status == HTTPStatus.UNAUTHORIZED:
        return {**headers, "WWW-Authenticate": "Bearer"}
    return dict(headers)


def _field_errors(extra: object) -> list[FieldError]:
    """Litestar's list of what validation found."""
    if not isinstance(extra, list):
        return []
    found = [item for item in extra if isinstance(item, dict) and "message" in item]
    return [FieldError(str(item.get("key") or "body"), str(item["message"])) for item in found]
