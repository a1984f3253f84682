"""Every error, ours and the framework's, as `application/problem+json` (RFC 9457) for programs or as a page for people."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Annotated, Any, Final

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import Receive, Scope, Send
from msgspec import Meta, Struct
from vivero_core.errors import BackendUnavailableError

from vivero_web.bodies import field_error
from vivero_web.current_request import current_request_id
from vivero_web.errors import FieldError, InvalidInputError, UnavailableError, WebError, explained

MEDIA_TYPE: Final = "application/problem+json"
_TYPE: Final = "urn:vivero:problem:"
# What only programs ask for, whatever they say they accept.
_PROGRAM_PATHS: Final = ("/api/", "/internal/", "/schema", "/metrics", "/healthz", "/readyz")
_SERVER_ERROR: Final = 500

log = structlog.get_logger(__name__)


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is wrong with a request, or with us."""

    type: Annotated[str, Meta(description="What kind of problem, a stable word for programs: `urn:vivero:problem:…`.")]
    title: Annotated[str, Meta(description="The same for every occurrence.")]
    status: Annotated[int, Meta(description="The HTTP status.")]
    detail: Annotated[str, Meta(description="This occurrence, in a sentence for people.")]
    request_id: Annotated[str, Meta(description="To quote when asking for help.")]
    errors: Annotated[
        tuple[FieldError, ...], Meta(description="The input fields at fault; absent when there are none.")
    ] = ()


def describe(error: Exception) -> tuple[Problem, Mapping[str, str]]:
    """The problem of an error, and its headers; an unexpected error is logged, and its problem tells nothing."""
    known = _known(error)
    if isinstance(known, HTTPException):
        return _framework_problem(known), _with_challenge(known.status_code, known.headers or {})
    if known is None:
        log.error("request_failed", request_id=current_request_id(), exc_info=error)
        known = WebError("The request could not be finished. It was logged; quote the request id.")
    elif isinstance(known, UnavailableError):
        log.warning("unavailable", request_id=current_request_id(), problem=explained(known))
    elif known.status == _SERVER_ERROR:
        log.error("request_failed", request_id=current_request_id(), exc_info=error)
    problem = Problem(
        type=f"{_TYPE}{known.slug}",
        title=known.title,
        status=known.status,
        detail=known.detail,
        request_id=current_request_id(),
        errors=known.errors,
    )
    return problem, _with_challenge(known.status, known.headers)


def wants_page(request: Request[Any, Any, Any]) -> bool:
    """Whether a person's browser asks for a page, as opposed to a program for data."""
    return not request.url.path.startswith(_PROGRAM_PATHS) and "text/html" in request.headers.get("accept", "")


def problem_response(error: Exception) -> Response[Problem]:
    problem, headers = describe(error)
    return Response(
        problem,
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers={"cache-control": "no-store", **headers},
    )


def _known(error: Exception) -> WebError | HTTPException | None:
    """The error as one with a status; None for an unexpected one."""
    if isinstance(error, WebError):
        return error
    if isinstance(error, HTTPException) and error.status_code < _SERVER_ERROR:
        fields = _fields(error) if error.status_code == HTTPStatus.BAD_REQUEST else []
        return InvalidInputError.of_all(fields) if fields else error
    if isinstance(error, RecursionError):
        return HTTPException("The JSON is nested too deeply.", status_code=HTTPStatus.BAD_REQUEST)
    if isinstance(error, UnicodeDecodeError):
        # Litestar lets this one out of its JSON decoder as it is.
        return HTTPException("The body is not valid UTF-8.", status_code=HTTPStatus.BAD_REQUEST)
    if isinstance(error, BackendUnavailableError):
        unavailable = UnavailableError()
        unavailable.__cause__ = error
        return unavailable
    return None


def _framework_problem(error: HTTPException) -> Problem:
    phrase = HTTPStatus(error.status_code).phrase
    return Problem(
        type=f"{_TYPE}{phrase.lower().replace(' ', '-')}",
        title=phrase,
        status=error.status_code,
        detail=error.detail or phrase,
        request_id=current_request_id(),
    )


def _with_challenge(status: int, headers: Mapping[str, str]) -> dict[str, str]:
    return {**headers, "WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else dict(headers)


def _fields(error: HTTPException) -> list[FieldError]:
    """What the framework's validation found."""
    entries = error.extra if isinstance(error.extra, list) else []
    found = [entry for entry in entries if isinstance(entry, dict) and "message" in entry]
    return [field_error(str(entry.get("key") or ""), str(entry["message"])) for entry in found]


ErrorPage = Callable[[Request[Any, Any, Any], Problem], Response[Any]]


class Answers:
    """Answers errors, as a page or as a problem."""

    def __init__(self, error_page: ErrorPage | None) -> None:
        self._error_page = error_page

    def to(self, request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        """Litestar's exception handler for everything."""
        if self._error_page is None or not wants_page(request):
            return problem_response(error)
        problem, headers = describe(error)
        page = self._error_page(request, problem)
        page.headers.update({"cache-control": "no-store", **headers})
        return page

    async def error(self, error: Exception, scope: Scope, receive: Receive, send: Send) -> None:
        request: Request[Any, Any, Any] = Request(scope, receive, send)
        await self.send(self.to(request, error), scope, receive, send)

    async def send(self, response: Response[Any], scope: Scope, receive: Receive, send: Send) -> None:
        """A response made outside Litestar's routing."""
        request: Request[Any, Any, Any] = Request(scope, receive, send)
        await response.to_asgi_response(app=None, request=request)(scope, receive, send)
