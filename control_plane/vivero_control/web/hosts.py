"""The page at a workspace's host while the workspace has no route of its own: suspended, starting, or not there."""

from typing import Any

from litestar import Request, Response
from litestar.response import Template

from vivero_control.domain.tenants.schemas import HostStatus
from vivero_control.web import words


def host_page(_: Request[Any, Any, Any], host: HostStatus) -> Response[Any]:
    said = words.host_words(host)
    headers = {"retry-after": str(said.refresh)} if said.refresh else {}
    context = {"host": host, "words": said}
    return Template("pages/host.html.j2", context=context, status_code=said.status, headers=headers)
