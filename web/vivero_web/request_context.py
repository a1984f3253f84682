"""What surrounds every request: its id, who asks, security headers, one log line, and no caching unless allowed.

The log line names the route's template, never the path or the query: a
signup's id in a path is as good as a login.
"""

import time
from collections.abc import Callable
from typing import Any, Final

import structlog
from litestar import Request
from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from vivero_web import request_id
from vivero_web.client_address import Proxies, counted_as
from vivero_web.envelope import refusal_of
from vivero_web.errors import WebError
from vivero_web.problem import problem_response
from vivero_web.security import secure

_CALLER: Final = "vivero_caller"
_QUIET: Final = frozenset({"/healthz", "/readyz"})  # asked every few seconds, and said when not 200
_OK: Final = 200

log = structlog.get_logger("vivero_web.access")


def caller_of(scope: Scope) -> str:
    """Who asks, as limits count it: an address, or an IPv6 household."""
    return str(scope["state"].get(_CALLER, ""))


class RequestContext:
    """Wraps a whole application: Litestar's own middleware does not see paths that nothing answers."""

    def __init__(
        self, app: ASGIApp, proxies: Proxies, *, hsts: str, monotonic: Callable[[], float] = time.perf_counter
    ) -> None:
        self._app = app
        self._proxies = proxies
        self._hsts = hsts
        self._monotonic = monotonic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        headers = Headers.from_scope(scope)
        identity = request_id.accept(headers.get(request_id.HEADER))
        peer = scope["client"][0] if scope["client"] else ""
        scope["state"][_CALLER] = counted_as(self._proxies.caller(peer, headers.getall("x-forwarded-for", [])))
        started, status = self._monotonic(), 500

        async def mark(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                sent = MutableScopeHeaders.from_message(message)
                sent[request_id.HEADER] = identity
                sent.setdefault("cache-control", "no-store")
                secure(sent, self._hsts)
            await send(message)

        try:
            if refusal := refusal_of(scope, headers):
                await _refuse(refusal, scope, receive, mark)
            else:
                await self._app(scope, receive, mark)
        finally:
            _note(scope, status, round((self._monotonic() - started) * 1000, 1))


async def _refuse(refusal: WebError, scope: Scope, receive: Receive, send: Send) -> None:
    request: Request[Any, Any, Any] = Request(scope, receive, send)
    await problem_response(refusal).to_asgi_response(app=None, request=request)(scope, receive, send)


def _note(scope: HTTPScope, status: int, milliseconds: float) -> None:
    if scope["path"] in _QUIET and status == _OK:
        return
    log.info(
        "request",
        method=scope["method"],
        route=scope.get("path_template") or "none",
        status=status,
        ms=milliseconds,
        client=caller_of(scope),
        request_id=request_id.current_request_id(),
    )
