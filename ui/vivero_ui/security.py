"""Headers of every answer, and the check that a form was sent from our own page."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.datastructures import MutableScopeHeaders
from litestar.exceptions import PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.types import BeforeMessageSendHookHandler, Message, Scope

# Files of our own only: no inline script or style, no frame, no plug-in, no foreign address.
# data: is for the small pictures inside the stylesheet.
_POLICY: Final = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
CONTENT_SECURITY_POLICY: Final = "; ".join(f"{name} {sources}" for name, sources in _POLICY.items())
_HEADERS: Final = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    # Not no-referrer: that makes browsers send `Origin: null` with our own forms.
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
}
_HSTS: Final = "max-age=31536000; includeSubDomains"
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def security_headers(*, hsts: bool) -> BeforeMessageSendHookHandler:
    """A `before_send` hook of Litestar: also reaches 404s and errors, which middleware does not.

    `hsts` only behind a real certificate: browsers keep it for a year. A handler's own header wins.
    """
    headers = {**_HEADERS, "strict-transport-security": _HSTS} if hsts else dict(_HEADERS)

    async def set_headers(message: Message, scope: Scope) -> None:  # noqa: ARG001  the hook's signature
        if message["type"] == "http.response.start":
            sent = MutableScopeHeaders.from_message(message)
            for name, value in headers.items():
                sent.setdefault(name, value)

    return set_headers


def is_same_origin(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a request that may change something comes from a page of this very host.

    Browsers say so in Sec-Fetch-Site; older ones in Origin. One that says neither is refused:
    scripts use the API, with a bearer token instead of a cookie.
    """
    if method in _SAFE_METHODS:
        return True
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = urlsplit(headers.get("origin", ""))
    return bool(origin.netloc) and origin.netloc == headers.get("host")


async def same_origin_guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """For routers whose handlers trust a cookie: refuses forms sent from elsewhere (CSRF)."""
    if not is_same_origin(str(connection.scope.get("method", "GET")), connection.headers):
        raise PermissionDeniedException("The form was not sent from this site.")
