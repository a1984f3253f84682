"""Renders templates, and errors as pages.

Jinja is loaded by the first page view: a pod without visitors saves 2 MB, and
starts 25 ms sooner. A spare loads it in the background (warming.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from litestar import Request, Response
from litestar.datastructures import Cookie
from litestar.enums import MediaType
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER
from vivero_ui.errors import ErrorPage, error_page
from vivero_web.problem import Problem
from vivero_web.second_factors import SecondFactorRequiredError

from vivero_data.domain.identity.service import Identity
from vivero_data.web.listing import Address
from vivero_data.web.pending_form import LOGIN, PendingForm, PendingFormResponse, is_short_form

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES: Final = Path(__file__).parent / "templates"
SECURITY: Final = "/account/security"
_FIRST_PAGES: Final = ("login.html.j2", "home.html.j2")
_OK: Final = 200
_UNAUTHORIZED: Final = 401
_RETRYABLE: Final = frozenset({_UNAUTHORIZED, 429, 500, 503})
_OWN_DETAIL: Final = frozenset({402, 403, 409, 413, 422, 429, 503})  # statuses whose details are written by our errors

Html = Response[str]


@cache
def environment() -> Environment:
    """The UI kit's environment with this program's templates and filters."""
    # Imported lazily: see the module's docstring.
    from vivero_ui import templates  # noqa: PLC0415

    from vivero_data.web.compiled import shipped  # noqa: PLC0415
    from vivero_data.web.filters import page_filters  # noqa: PLC0415

    made = templates.environment([TEMPLATES])
    made.filters.update(page_filters())
    made.bytecode_cache = shipped()
    return made


def warm() -> None:
    """Load Jinja and the first pages; their partials would take another MiB to save 5 ms."""
    for name in _FIRST_PAGES:
        environment().get_template(name)


def html(
    template: str,
    context: Mapping[str, Any],
    *,
    status: int = _OK,
    headers: Mapping[str, str] | None = None,
    cookies: Sequence[Cookie] = (),
) -> Html:
    """A page."""
    return Response(
        environment().get_template(template).render(context),
        status_code=status,
        media_type=MediaType.HTML,
        headers=headers,
        cookies=list(cookies),
    )


def render_error(request: Request[Any, Any, Any], problem: Problem) -> Response[Any]:
    """An error as a page; without a login a redirect to it and back, with what was typed."""

    def made(pending: PendingForm | None) -> Response[Any]:
        return _resubmit_page(request, problem, pending) if pending else _plain(request, problem)

    if problem.status in _RETRYABLE and is_short_form(request):
        return PendingFormResponse(made)
    return _plain(request, problem)


def _plain(request: Request[Any, Any, Any], problem: Problem) -> Response[Any]:
    if problem.status == _UNAUTHORIZED:
        return _redirect_to_login(request)
    if problem.type.rpartition(":")[2] == SecondFactorRequiredError.slug:
        return Redirect(SECURITY, status_code=HTTP_303_SEE_OTHER)
    return html("vivero/error.html.j2", {"error": _error_page(problem)}, status=problem.status)


def _resubmit_page(request: Request[Any, Any, Any], problem: Problem, pending: PendingForm) -> Response[Any]:
    if problem.status == _UNAUTHORIZED:
        # Without the workspace's name: it is in the database, which may be down.
        host = Identity("", "").host(request.headers.get("host", ""))
        shown = {
            "workspace": "",
            "host": host,
            "target": pending.target,
            "email": "",
            "problem": None,
            "pending": pending,
            "notice": "",
            "as_of": None,
        }
        return html("login.html.j2", shown, status=problem.status)
    return html("send_again.html.j2", {"error": _error_page(problem), "pending": pending}, status=problem.status)


def _error_page(problem: Problem) -> ErrorPage:
    # For other statuses the framework may have written the detail, for developers.
    detail = problem.detail if problem.status in _OWN_DETAIL else ""
    return error_page(problem.status, problem.request_id, detail)


def _redirect_to_login(request: Request[Any, Any, Any]) -> Response[Any]:
    """Redirects to the login page; after a link on another site it first reloads the page.

    The refresh cookie is SameSite=Strict, so a browser that follows a link from
    another site does not send it; when our own page reloads, it does.
    """
    if request.method == "GET" and request.headers.get("sec-fetch-site") == "cross-site":
        return html("again.html.j2", {})
    wanted = quote(request.scope["path"]) + (f"?{request.url.query}" if request.url.query else "")
    target = Address(LOGIN).put("next", wanted if request.method == "GET" and wanted != "/" else "")
    return Redirect(str(target), status_code=HTTP_303_SEE_OTHER)
