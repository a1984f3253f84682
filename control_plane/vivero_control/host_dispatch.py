"""Requests for a workspace's host never reach the control plane's own routes: they are told about that host.

On every path and method, `/healthz` and files of ours included: what watches
a workspace must not hear from us that all is well. This is also
the list of allowed hosts: only the control plane's own name leads to its
routes. kubelet and Prometheus, which ask by address, have a port of their own.
"""

from collections.abc import Callable
from typing import Any, Final

from litestar import Request
from litestar.datastructures import Headers
from litestar.types import ASGIApp, Receive, Scope, Send
from vivero_web.problem import Answers, wants_page

from vivero_control.domain.tenants.hosts import HostService, as_error
from vivero_control.services import Pages

_READS: Final = frozenset({"GET", "HEAD"})


class HostDispatch:
    """Looks at the Host header before any route does."""

    def __init__(self, own: ASGIApp, foreign: ASGIApp, is_own: Callable[[str], bool]) -> None:
        self._own = own
        self._foreign = foreign
        self._is_own = is_own

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        chosen = self._own if self._is_own(host_of(scope)) else self._foreign
        await chosen(scope, receive, send)


class ForeignHosts:
    """Says why the workspace of a host does not answer by itself: a page for browsers, a problem for programs."""

    def __init__(self, hosts: HostService, answers: Answers, pages: Pages) -> None:
        self._hosts = hosts
        self._answers = answers
        self._page = pages.host_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = self._hosts.status(host_of(scope))
        request: Request[Any, Any, Any] = Request(scope, receive, send)
        if self._page is not None and wants_page(request):
            page = self._page(status, request.method not in _READS)
            await self._answers.send(page, scope, receive, send)
        else:
            await self._answers.error(as_error(status), scope, receive, send)


def host_of(scope: Scope) -> str:
    return host_name(Headers.from_scope(scope).get("host", ""))


def host_name(header: str) -> str:
    """Lower case, without port and final dot."""
    return header.rsplit(":", 1)[0].lower().rstrip(".") if not header.endswith("]") else header.lower()
