"""What surrounds every request: its id, who asks, security headers, one log line, and no caching unless allowed.

The log line names the route's template, never the path or the query: those
are the caller's words, and may be anything.
"""

import time
from collections.abc import Callable
from typing import Any, Final

import structlog
from litestar import Request
from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from vivero_web import request_id
from vivero_web.client_address import Proxies, counted_as, set_current_caller
from vivero_web.envelope import refusal_of
from vivero_web.errors import WebError
from vivero_web.problem import problem_response
from vivero_web.reading import Exchange
from vivero_web.security import secure

_CALLER: Final = "vivero_caller"
_QUIET: Final = frozenset({"/healthz", "/readyz", "/metrics"})  # asked every few seconds, and said when not 200
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
        caller = counted_as(self._proxies.caller(peer, headers.getall("x-forwarded-for", [])))
        scope["state"][_CALLER] = caller
        set_current_caller(caller)
        started, exchange = self._monotonic(), Exchange(scope, receive, send)

        async def mark(message: Message) -> None:
            if message["type"] == "http.response.start":
                sent = MutableScopeHeaders.from_message(message)
                sent[request_id.HEADER] = identity
                sent.setdefault("cache-control", "no-store")
                secure(sent, self._hsts)
            await exchange.send(message)

        try:
            if refusal := refusal_of(scope, headers):
                await _refuse(refusal, exchange.scope, exchange.receive, mark)
            else:
                await self._app(exchange.scope, exchange.receive, mark)
        finally:
            _note(scope["method"], exchange, round((self._monotonic() - started) * 1000, 1))


async def _refuse(refusal: WebError, scope: Scope, receive: Receive, send: Send) -> None:
    request: Request[Any, Any, Any] = Request(scope, receive, send)
    await problem_response(refusal).to_asgi_response(app=None, request=request)(scope, receive, send)


def _note(method: str, exchange: Exchange, milliseconds: float) -> None:
    if exchange.scope["path"] in _QUIET and exchange.status == _OK:
        return
    log.info(
        "request",
        method=method,
        route=exchange.scope.get("path_template") or "none",
        status=exchange.status,
        ms=milliseconds,
        client=caller_of(exchange.scope),
        request_id=request_id.current_request_id(),
    )
