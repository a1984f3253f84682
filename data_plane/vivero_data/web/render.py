"""The Jinja environment of the workspace's pages, and the page an error becomes."""

from pathlib import Path
from typing import Any, Final

from jinja2 import Environment
from litestar import Request, Response
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.enums import MediaType
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER
from litestar.template import TemplateConfig
from vivero_ui.errors import error_page
from vivero_ui.templates import environment, render

from vivero_data.lib.problem import Problem
from vivero_data.web.filters import page_filters
from vivero_data.web.listing import Address
from vivero_data.web.page import PAGE_HEADERS

TEMPLATES: Final = Path(__file__).parent / "templates"
_UNAUTHORIZED: Final = 401


def made_environment() -> Environment:
    """The kit's environment with this program's templates and filters."""
    made = environment([TEMPLATES])
    made.filters.update(page_filters())
    return made


ENVIRONMENT: Final = made_environment()
template_config: Final = TemplateConfig(instance=JinjaTemplateEngine.from_environment(ENVIRONMENT))


def render_error(request: Request[Any, Any, Any], problem: Problem) -> Response[Any]:
    """An error as a page; who is not logged in is sent to do that and comes back."""
    if problem.status == _UNAUTHORIZED:
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        target = Address("/login").put("next", wanted if request.method == "GET" and wanted != "/" else "")
        return Redirect(str(target), status_code=HTTP_303_SEE_OTHER)
    page = error_page(problem.status, problem.request_id, problem.detail)
    return Response(
        render(ENVIRONMENT, "vivero/error.html.j2", error=page),
        status_code=problem.status,
        media_type=MediaType.HTML,
        headers=PAGE_HEADERS,
    )
