"""Pages at a workspace's host while the workspace has no route of its own. They load no file: that host has none."""

from typing import Any

from litestar import Request, Response
from litestar.response import Template
from vivero_ui.alone import policy
from vivero_ui.errors import error_page as words_for
from vivero_web.problem import Problem

from vivero_control.domain.tenants.schemas import HostStatus
from vivero_control.web import presentation
from vivero_control.web.presentation import HostText


def host_page(host: HostStatus, sent: bool) -> Response[Any]:  # noqa: FBT001  one of two, told by position
    """Suspended, starting, down, or not there; `sent`: instead of what a form was to do."""
    said = presentation.host_text(host)
    said = presentation.of_a_form(said) if sent else said
    return _page(said, host.host, name=host.display_name, message=host.message)


def host_error(request: Request[Any, Any, Any], problem: Problem) -> Response[Any]:
    """What keeps us from saying even that."""
    said = words_for(problem.status, problem.request_id, problem.detail)
    shown = HostText(status=problem.status, title=said.title, what=said.detail, todo=said.advice, icon="triangle-alert")
    return _page(shown, request.url.hostname or "")


def _page(said: HostText, host: str, name: str = "", message: str = "") -> Response[Any]:
    retry = {"retry-after": str(said.retry)} if said.retry else {}
    headers = {"content-security-policy": policy(looks_again=said.refresh), **retry}
    context = {"words": said, "host": host if host.isprintable() else "", "name": name, "message": message}
    return Template("pages/host.html.j2", context=context, status_code=said.status, headers=headers)
