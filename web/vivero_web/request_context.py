"""What surrounds every request: its id, the client address, bounds, security headers, one log line, no caching by default.

The log line names the route's template, never the path or the query: those are the caller's words, and may be anything.

Requests are refused before anything parses them when address, query or cookies exceed their bounds: Litestar caches the
last thousand of each that it has parsed, so whoever sent that many large ones would fill the process's memory for good.
"""

import re
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from litestar import Request
from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from vivero_core.tracing.spans import Tracer

from vivero_web.current_request import (
    REQUEST_ID_HEADER,
    Proxies,
    accept_request_id,
    counted_as,
    set_current_agent,
    set_current_api_key,
    set_current_caller,
)
from vivero_web.declared import raises
from vivero_web.errors import AddressTooLongError, HeadersTooLargeError, MalformedError, WebError
from vivero_web.exchange import Exchange
from vivero_web.logs import begin_request
from vivero_web.problem import problem_response
from vivero_web.request_spans import RequestSpans
from vivero_web.security import secure

PATH_BYTES: Final = 2 * 1024
"""The longest, to a record of a collection, has 64 characters of up to 12 bytes."""
QUERY_BYTES: Final = 16 * 1024
PARAMETERS: Final = 200
"""Twenty filters, and the cursors of the pages before."""
COOKIE_BYTES: Final = 16 * 1024
COOKIES: Final = 200
"""Browsers keep some 180 for a host; ours are a session, and the chosen columns of each collection."""
_HOST: Final = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~%!$&'()*+,;=-]*)(?::[0-9]*)?")
"""RFC 3986, section 3.2: a host and perhaps its port."""


@raises(MalformedError, AddressTooLongError, HeadersTooLargeError)
def refusal_of(scope: HTTPScope, headers: Headers) -> WebError | None:
    """Why nothing of the request may be parsed; None when it may."""
    if not _is_host(headers.get("host", "")):
        return MalformedError("The Host header names no host.")
    query = scope["query_string"]
    if len(scope["path"].encode()) > PATH_BYTES or len(query) > QUERY_BYTES:
        return AddressTooLongError(f"An address has at most {PATH_BYTES:,} bytes, and {QUERY_BYTES:,} in its query.")
    if query.count(b"&") >= PARAMETERS:
        return AddressTooLongError(f"A query has at most {PARAMETERS} parameters.")
    cookies = headers.getall("cookie", [])
    if sum(map(len, cookies)) > COOKIE_BYTES or sum(header.count(";") for header in cookies) >= COOKIES:
        return HeadersTooLargeError(f"Send at most {COOKIES} cookies, of {COOKIE_BYTES:,} bytes together.")
    return None


def _is_host(header: str) -> bool:
    """Whether a Host header can stand in an address: the framework breaks on one that cannot, without any answer."""
    if not _HOST.fullmatch(header):
        return False
    try:
        _ = urlsplit(f"//{header}").port
    except ValueError:
        return False
    return True


_CALLER: Final = "vivero_caller"
_PERSON: Final = "vivero_person"
_QUIET: Final = frozenset({"/healthz", "/readyz", "/metrics"})  # asked every few seconds, and said when not 200
_OK: Final = 200

log = structlog.get_logger("vivero_web.access")


def caller_of(scope: Scope) -> str:
    """Who asks, as limits count it: an address, or an IPv6 household."""
    return str(scope["state"].get(_CALLER, ""))


def note_person(scope: Scope, person: str) -> None:
    """Who was found to ask, for the request's log line: by an id such as `user/3`, never by an address or name."""
    scope["state"][_PERSON] = person


class RequestContext:
    """Wraps a whole application: Litestar's own middleware does not see paths that nothing answers."""

    def __init__(
        self,
        app: ASGIApp,
        proxies: Proxies,
        *,
        hsts: str,
        spans: RequestSpans | None = None,
        monotonic: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._app = app
        self._proxies = proxies
        self._hsts = hsts
        self._spans = spans or RequestSpans(Tracer())
        self._monotonic = monotonic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        headers = Headers.from_scope(scope)
        identity = accept_request_id(headers.get(REQUEST_ID_HEADER))
        begin_request(identity)
        peer = scope["client"][0] if scope["client"] else ""
        caller = counted_as(self._proxies.caller(peer, headers.getall("x-forwarded-for", [])))
        scope["state"][_CALLER] = caller
        set_current_caller(caller)
        set_current_agent(headers.get("user-agent", ""))
        set_current_api_key("")
        started, exchange = self._monotonic(), Exchange(scope, receive, send)

        async def mark(message: Message) -> None:
            if message["type"] == "http.response.start":
                sent = MutableScopeHeaders.from_message(message)
                sent[REQUEST_ID_HEADER] = identity
                sent.setdefault("cache-control", "no-store")
                secure(sent, self._hsts)
            await exchange.send(message)

        traced = nullcontext() if scope["path"] in _QUIET else self._spans.around(exchange, headers)
        with traced:
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
        person=exchange.scope["state"].get(_PERSON, ""),
    )
