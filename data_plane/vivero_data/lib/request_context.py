"""What every request gets: an id, the client's address, security headers, one log line without its query string."""

import re
import secrets
import time
from typing import Final

import structlog
from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPResponseStartEvent, HTTPScope, Message, Receive, Scope, Send

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
_ID: Final = "vivero_request_id"
_ADDRESS: Final = "vivero_client_address"
_QUIET: Final = frozenset({"/healthz", "/readyz"})  # asked every few seconds, and said when not 200
_OK: Final = 200
SECURITY_HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "strict-transport-security": "max-age=31536000",
}
_API_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"

log = structlog.get_logger("vivero_data.requests")


def request_id_of(scope: Scope) -> str:
    """The id to quote in answers, logs and the audit log."""
    return str(scope["state"].get(_ID, ""))


def client_address_of(scope: Scope) -> str:
    """The client's address as the outermost trusted proxy saw it."""
    return str(scope["state"].get(_ADDRESS, ""))


def forwarded_address(forwarded: str, peer: str, hops: int) -> str:
    """The client behind `hops` trusted proxies, each of which appended the address it saw.

    Counted from the right: what stands further left was sent by the client and proves nothing.
    """
    chain = [part.strip() for part in forwarded.split(",") if part.strip()]
    if hops == 0 or not chain:
        return peer
    return chain[-min(hops, len(chain))][:64]


class RequestContext:
    """Wraps the whole application: Litestar's own middleware does not see paths that nothing answers."""

    def __init__(self, next_app: ASGIApp, proxy_hops: int) -> None:
        self._next_app = next_app
        self._hops = proxy_hops

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._next_app(scope, receive, send)
            return
        headers = Headers.from_scope(scope)
        given = headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(16)
        peer = scope["client"][0] if scope["client"] else ""
        scope["state"][_ID] = request_id
        scope["state"][_ADDRESS] = forwarded_address(headers.get("x-forwarded-for", ""), peer, self._hops)
        started = time.perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(message, request_id)
            await send(message)

        try:
            await self._next_app(scope, receive, send_with_headers)
        finally:
            _log(scope, status, started)


def _add_headers(message: HTTPResponseStartEvent, request_id: str) -> None:
    headers = MutableScopeHeaders.from_message(message)
    headers["x-request-id"] = request_id
    for name, value in SECURITY_HEADERS.items():
        headers.setdefault(name, value)
    if not headers.get("content-security-policy"):
        headers["content-security-policy"] = _API_POLICY


def _log(scope: HTTPScope, status: int, started: float) -> None:
    if scope["path"] in _QUIET and status == _OK:
        return
    log.info(
        "request",
        method=scope["method"],
        path=scope["path"],
        status=status,
        ms=round((time.perf_counter() - started) * 1000, 1),
        request_id=request_id_of(scope),
    )
