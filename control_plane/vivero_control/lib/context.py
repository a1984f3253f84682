"""What surrounds every request: its id, who asks, one log line, and caching forbidden unless an answer allows it.

The log line names the route's template, never the path or the query: a
signup's id in a path is as good as a login.
"""

import time
from collections.abc import Callable
from typing import Any, Final

import structlog
from litestar import Request
from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from vivero_control.lib import request_id
from vivero_control.lib.client_address import client_address, counted_as
from vivero_control.settings import LimitSettings

access_log = structlog.stdlib.get_logger("vivero_control.access")

CALLER: Final = "caller"


def caller(request: Request[Any, Any, Any]) -> str:
    """Who asks, as limits count it: an address, or an IPv6 household."""
    found: str = request.scope["state"][CALLER]
    return found


class RequestContext:
    """The outermost layer inside Litestar."""

    def __init__(self, app: ASGIApp, limits: LimitSettings, monotonic: Callable[[], float] = time.perf_counter) -> None:
        self._app = app
        self._limits = limits
        self._monotonic = monotonic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers.from_scope(scope)
        identity = request_id.accept(headers.get(request_id.HEADER))
        scope["state"][CALLER] = self._caller(scope, headers)
        started, status = self._monotonic(), 500

        async def mark(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                sent = MutableScopeHeaders.from_message(message)
                sent[request_id.HEADER] = identity
                sent.setdefault("cache-control", "no-store")
            await send(message)

        try:
            await self._app(scope, receive, mark)
        finally:
            access_log.info(
                "request",
                method=scope.get("method"),
                route=scope.get("path_template") or "none",
                status=status,
                ms=round((self._monotonic() - started) * 1000, 1),
                client=scope["state"][CALLER],
                request_id=identity,
            )

    def _caller(self, scope: Scope, headers: Headers) -> str:
        peer = scope.get("client")
        address = client_address(
            peer[0] if peer else "",
            headers.getall("x-forwarded-for", []),
            hops=self._limits.forwarded_hops,
            trusted=self._limits.trusted_proxies,
        )
        return counted_as(address)
