"""Requests for a workspace's host never reach the control plane's own routes: they get the page about that host.

This is also the list of allowed hosts: only the control plane's own name
leads to its routes, every other one is a workspace's or unknown.
"""

from typing import Final

from litestar import Request
from litestar.datastructures import Headers
from litestar.types import ASGIApp, Receive, Scope, Send

from vivero_control.domain.tenants.hosts import HostService
from vivero_control.errors import ControlPlaneError, NotFoundError, UnavailableError
from vivero_control.lib.answers import Answers
from vivero_control.pages import Pages

# kubelet and Prometheus ask by address; pages about a host need their files.
_ANY_HOST: Final = ("/healthz", "/readyz", "/metrics", "/static/")


class HostDispatch:
    """Looks at the Host header before any route does."""

    def __init__(self, app: ASGIApp, hosts: HostService, answers: Answers, pages: Pages) -> None:
        self._app = app
        self._hosts = hosts
        self._answers = answers
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = host_name(Headers.from_scope(scope).get("host", ""))
        if self._hosts.is_own(host) or scope["path"].startswith(_ANY_HOST):
            await self._app(scope, receive, send)
            return
        try:
            status = self._hosts.status(host)
        except UnavailableError as error:
            await self._answers.error(error, scope, receive, send)
            return
        if self._pages.host_page is None:
            await self._answers.error(_no_page(host), scope, receive, send)
            return
        page = self._pages.host_page(Request(scope, receive, send), status)
        await self._answers.send(page, scope, receive, send)


def host_name(header: str) -> str:
    """Lower case, without port and final dot."""
    return header.rsplit(":", 1)[0].lower().rstrip(".") if not header.endswith("]") else header.lower()


def _no_page(host: str) -> ControlPlaneError:
    return NotFoundError(f"There is nothing at {host}." if host.isprintable() else "There is nothing here.")
