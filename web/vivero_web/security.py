"""Headers of every answer, cookies, and guards against other media types and other sites' forms (CSRF)."""

from collections.abc import Mapping
from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie, MutableScopeHeaders
from litestar.handlers import BaseRouteHandler

from vivero_web.declared import WRITES, raises
from vivero_web.errors import CrossSiteError, UnsupportedMediaTypeError

# Files of our own only: no inline script or style, no frame, no plug-in, no foreign address.
# data: is for the small pictures inside the stylesheet.
_PAGE_POLICY: Final = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


def page_policy(forms_to: str = "") -> str:
    """The content security policy of a page; its forms may also go to the origin `forms_to`."""
    policy = _PAGE_POLICY | {"form-action": f"'self' {forms_to}".rstrip()}
    return "; ".join(f"{name} {sources}" for name, sources in policy.items())


_DATA_POLICY: Final = "default-src 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
FILE_POLICY: Final = f"{_DATA_POLICY}; sandbox"
"""Of what somebody has uploaded or exported: whatever it is, and wherever it is opened, it runs nothing and loads nothing."""

_ALWAYS: Final = {
    "x-content-type-options": "nosniff",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
}
OF_PAGES: Final = _ALWAYS | {
    "content-security-policy": page_policy(),
    # Not no-referrer: that makes browsers send `Origin: null` with our own forms.
    "referrer-policy": "same-origin",
}
OF_DATA: Final = _ALWAYS | {
    "content-security-policy": _DATA_POLICY,
    "referrer-policy": "no-referrer",
}
HSTS_HOST: Final = "max-age=31536000"
"""For a host that may be a customer's own: what else is below it is not ours to decide."""
HSTS_DOMAIN: Final = f"{HSTS_HOST}; includeSubDomains"
"""For the platform's own name and every workspace's below it."""

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def secure(headers: MutableScopeHeaders, hsts: str) -> None:
    """Add what an answer's kind needs; a handler's own header wins. `hsts` is empty where there is no certificate."""
    is_page = headers.get("content-type", "").startswith("text/html")
    for name, value in (OF_PAGES if is_page else OF_DATA).items():
        headers.setdefault(name, value)
    if hsts:
        headers.setdefault("strict-transport-security", hsts)


def is_same_origin(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a request that may change something comes from a page of this very host.

    Browsers say so in Sec-Fetch-Site; older ones in Origin. One that says neither is refused:
    scripts use the API, with a bearer token instead of a cookie. So is a page without TLS, which anybody on the
    way may have written: our cookies exist with TLS alone.
    """
    if method in _SAFE_METHODS:
        return True
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    host = headers.get("host")
    return bool(host) and headers.get("origin") == f"https://{host}"


Connection = ASGIConnection[Any, Any, Any, Any]

JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"


def require_media_type(connection: Connection, wanted: str) -> None:
    """Refuse a body of another kind; no body is no matter of kind, nor is one that nobody reads.

    A form sent from a foreign page never reaches an API that reads JSON: it cannot say so without CORS.

    Raises:
        UnsupportedMediaTypeError: naming the kind that is read here.
    """
    headers = connection.headers
    if connection.scope.get("method") not in WRITES:
        return
    has_body = "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
    given = headers.get("content-type", "").partition(";")[0].strip().lower()
    if has_body and given != wanted:
        raise UnsupportedMediaTypeError(f"Send the body as {wanted}.")


@raises(UnsupportedMediaTypeError, on_writes=True)
async def json_only(connection: Connection, _: BaseRouteHandler) -> None:
    """Litestar guard of routes that read JSON.

    Raises:
        UnsupportedMediaTypeError: the body is of another kind.
    """
    require_media_type(connection, JSON)


@raises(CrossSiteError, on_writes=True)
async def same_origin_only(connection: Connection, _: BaseRouteHandler) -> None:
    """Litestar guard of routes whose handlers trust a cookie: refuses forms sent from elsewhere (CSRF).

    Raises:
        CrossSiteError: no page of ours sent it.
    """
    if not is_same_origin(str(connection.scope.get("method", "GET")), connection.headers):
        raise CrossSiteError("The form was not sent from this site.")


def host_cookie(name: str, value: str, seconds: int, *, strict: bool = False) -> Cookie:
    """A cookie for this very host, over TLS only; 0 seconds end it. `name` begins with `__Host-`.

    A strict one is not sent by links from other sites either.
    """
    return Cookie(
        key=name,
        value=value,
        max_age=seconds,
        path="/",  # the __Host- prefix demands it
        secure=True,
        httponly=True,
        samesite="strict" if strict else "lax",
    )
