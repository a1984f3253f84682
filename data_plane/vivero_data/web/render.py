"""The Jinja environment of the workspace's pages, and the page an error becomes."""

from pathlib import Path
from typing import Any, Final

from jinja2 import Environment
from litestar import Request, Response
from litestar.enums import MediaType
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER
from litestar.template import TemplateConfig
from vivero_ui.errors import error_page
from vivero_ui.templates import environment, render

from vivero_data.lib.problem import Problem
from vivero_data.web.compiled import shipped
from vivero_data.web.filters import page_filters
from vivero_data.web.listing import Address
from vivero_data.web.page import PAGE_HEADERS

TEMPLATES: Final = Path(__file__).parent / "templates"
_OK: Final = 200
_UNAUTHORIZED: Final = 401
_OUR_WORDS: Final = frozenset({402, 403, 409, 413, 422, 429, 503})  # statuses whose details our errors write


def made_environment() -> Environment:
    """The kit's environment with this program's templates and filters."""
    made = environment([TEMPLATES])
    made.filters.update(page_filters())
    made.bytecode_cache = shipped()
    return made


ENVIRONMENT: Final = made_environment()
template_config: Final = TemplateConfig(instance=JinjaTemplateEngine.from_environment(ENVIRONMENT))


def render_error(request: Request[Any, Any, Any], problem: Problem) -> Response[Any]:
    """An error as a page; who is not logged in is sent to do that and comes back."""
    if problem.status == _UNAUTHORIZED:
        return _knock(request)
    # Elsewhere the framework may have written the detail, for programmers.
    detail = problem.detail if problem.status in _OUR_WORDS else ""
    page = error_page(problem.status, problem.request_id, detail)
    return _html("vivero/error.html.j2", problem.status, error=page)


def _knock(request: Request[Any, Any, Any]) -> Response[Any]:
    """To the login page; but first, for a link on another site, here again.

    The refresh cookie is SameSite=Strict, so a browser that follows a foreign
    link does not send it; when our own page asks again, it does.
    """
    if request.method == "GET" and request.headers.get("sec-fetch-site") == "cross-site":
        return _html("again.html.j2", _OK)
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    target = Address("/login").put("next", wanted if request.method == "GET" and wanted != "/" else "")
    return Redirect(str(target), status_code=HTTP_303_SEE_OTHER)


def _html(template: str, status: int, **context: object) -> Response[str]:
    return Response(
        render(ENVIRONMENT, template, **context),
        status_code=status,
        media_type=MediaType.HTML,
        headers=PAGE_HEADERS,
    )
