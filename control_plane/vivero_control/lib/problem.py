"""Every error as `application/problem+json` (RFC 9457); browsers on a page get a page instead."""

import logging
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.exceptions.http_exceptions import InternalServerException
from msgspec import UNSET, Struct, UnsetType
from vivero_core.errors import BackendUnavailableError

from vivero_control.errors import ControlPlaneError, FieldError
from vivero_control.lib.request_id import current_request_id

logger = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
# What only programs ask for, whatever they say they accept.
_PROGRAM_PATHS: Final = ("/api/", "/schema", "/metrics", "/healthz", "/readyz")

# msgspec names a missing field and a path inside the body in these forms.
_MISSING: Final = re.compile(r"missing required field `([^`]+)`")
_PATH: Final = re.compile(r"`\$\.?([^`]*)`$")


class Problem(Struct, frozen=True, kw_only=True):
    """What went wrong, for programs and people."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: tuple[FieldError, ...] | UnsetType = UNSET
    request_id: str = ""


def describe(error: Exception) -> tuple[Problem, Mapping[str, str]]:
    """The problem of any exception, and the headers to send with it. Logs what is our fault."""
    if isinstance(error, ControlPlaneError):
        return _problem(error.status, error.title, error.detail, error.errors), error.headers
    if isinstance(error, ValidationException):
        return _problem(422, "Invalid input", "The request does not have the form it needs.", _fields(error)), {}
    if isinstance(error, HTTPException) and not isinstance(error, InternalServerException):
        phrase = HTTPStatus(error.status_code).phrase
        challenge = {"WWW-Authenticate": "Bearer"} if error.status_code == HTTPStatus.UNAUTHORIZED else {}
        return _problem(error.status_code, phrase, error.detail or phrase), challenge | (error.headers or {})
    if isinstance(error, RecursionError):
        return _problem(400, "Bad Request", "The JSON is nested too deeply."), {}
    if isinstance(error, BackendUnavailableError):
        logger.warning("answered 503: %s", error)
        return _problem(503, "Temporarily unavailable", "A part of the platform does not answer."), {"Retry-After": "5"}
    logger.error("fault while answering a request", exc_info=error)
    return _problem(500, "Internal error", "This is our fault. It has been noted; try again later."), {}


def wants_page(request: Request[Any, Any, Any]) -> bool:
    """Whether a person's browser asks for a page, as opposed to a program for data."""
    if request.url.path.startswith(_PROGRAM_PATHS):
        return False
    return "text/html" in request.headers.get("accept", "")


def problem_response(error: Exception) -> Response[Problem]:
    problem, headers = describe(error)
    return Response(
        problem,
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **headers},
    )


def _problem(status: int, title: str, detail: str, errors: tuple[FieldError, ...] = ()) -> Problem:
    return Problem(title=title, status=status, detail=detail, errors=errors or UNSET, request_id=current_request_id())


def _fields(error: ValidationException) -> tuple[FieldError, ...]:
    entries = error.extra if isinstance(error.extra, list) else []
    return tuple(_field(entry.get("key", ""), str(entry.get("message", ""))) for entry in entries)


def _field(key: str, message: str) -> FieldError:
    """Name the field, not the place in our code; say what to change."""
    if missing := _MISSING.search(message):
        return FieldError(missing[1], "This field is required.")
    if path := _PATH.search(message):
        key = path[1] or key
        message = message[: path.start()].removesuffix(" - at ")
    if key in {"", "data"}:
        return FieldError("body", "Send a JSON object.")
    return FieldError(key.removeprefix("data."), message)
