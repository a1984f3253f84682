"""Authentication of requests: a bearer token, or a browser's cookies, renewed when they have expired."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie, MutableScopeHeaders
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.openapi.spec import SecurityRequirement, SecurityScheme
from litestar.types import Message, Scope
from vivero_web.declared import raises
from vivero_web.errors import CrossSiteError, NotAllowedError, NotSignedInError, UnavailableError
from vivero_web.request_context import note_person
from vivero_web.second_factors import SecondFactorRequiredError
from vivero_web.security import is_same_origin

from vivero_data.domain.api_keys.schemas import MARK
from vivero_data.domain.auth.service import AuthService
from vivero_data.domain.users.schemas import Actor, Permission, require_permission, roles_needed
from vivero_data.lib import cookies

_BEARER: Final = "bearer "
_FROM_PAGES: Final = frozenset({"sec-fetch-site", "origin"})
_SESSION: Final = frozenset({cookies.ACCESS, cookies.REFRESH})
_COOKIES: Final = "vivero_cookies"
_ACTOR: Final = "vivero_actor"
_BEARER_SCHEME: Final = "bearer"
_SESSION_SCHEME: Final = "session"
SETS_UP: Final[dict[str, Any]] = {"sets_up_second_factor": True}
"""`opt` of the routes that are open to who has to set up two-step login first."""
ENDS: Final[dict[str, Any]] = {"ends_own_session": True}
"""`opt` of the one thing that support, which only reads, may send."""
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
BEARER_OR_COOKIE: Final[list[SecurityRequirement]] = [{_BEARER_SCHEME: []}, {_SESSION_SCHEME: []}]
SECURITY_SCHEMES: Final = {
    _BEARER_SCHEME: SecurityScheme(
        type="http",
        scheme="bearer",
        description="The access token of a login, good for 15 minutes or until the session ends; or an API key, which"
        " begins with `viv_` and cannot do what needs a person: accounts, passwords, sessions and keys.",
    ),
    _SESSION_SCHEME: SecurityScheme(
        type="apiKey",
        name=cookies.ACCESS,
        security_scheme_in="cookie",
        description="A browser's session, for the workspace's own pages: writes from other sites are refused.",
    ),
}

AnyRequest = Request[Any, Any, Any]
AnyConnection = ASGIConnection[Any, Any, Any, Any]
Guard = Callable[[AnyConnection, BaseRouteHandler], Awaitable[None]]


@raises(NotSignedInError, SecondFactorRequiredError, UnavailableError)
async def signed_in(connection: AnyConnection, _: BaseRouteHandler) -> None:
    """Litestar guard of the API: authenticates before a body is read, for every route by default.

    OPTIONS is exempt: which methods a route has is public in the OpenAPI document.

    Raises:
        NotSignedInError: no valid token or cookie.
    """
    if connection.scope.get("method") != "OPTIONS":
        services, token = connection.app.state.services, _sent_token(connection)
        by_key = token is not None and token.startswith(MARK)
        identified = services.api_keys.authenticate(token) if by_key else _identify(connection, services.auth)
        actor = connection.scope["state"][_ACTOR] = await identified
        if by_key:
            note_person(connection.scope, f"key/{actor.api_key}")


def needs(permission: Permission) -> Guard:
    """Litestar guard: checks the permission for a route before any body is read.

    Raises:
        NotAllowedError: the signed-in user lacks the permission.
    """

    @raises(NotAllowedError, needs=f"Needs {roles_needed(permission)}.")
    async def check(connection: AnyConnection, _: BaseRouteHandler) -> None:
        if connection.scope.get("method") != "OPTIONS":  # which `signed_in` exempts
            require_permission(connection.scope["state"][_ACTOR], permission)

    return check


@raises(NotAllowedError, needs="Needs a person's login: an API key cannot do this.")
async def needs_person(connection: AnyConnection, _: BaseRouteHandler) -> None:
    """Litestar guard: what a stolen API key must not do, such as making another one.

    Raises:
        NotAllowedError: a program asks, with an API key.
    """
    if connection.scope.get("method") == "OPTIONS":
        return
    actor = connection.scope["state"][_ACTOR]
    if actor.api_key:
        raise NotAllowedError("An API key cannot do this; log in as a person.")
    if actor.support:
        raise NotAllowedError("Support has no account in this workspace.")


def actor_of(connection: AnyConnection) -> Actor | None:
    """The signed-in user of a request that the guard has let in."""
    found: Actor | None = connection.scope["state"].get(_ACTOR)
    return found


async def provide_actor(request: AnyRequest, auth: NamedDependency[AuthService]) -> Actor:
    """The signed-in user, the dependency `actor`.

    Raises:
        NotSignedInError: no valid token or cookie.
    """
    known: Actor | None = request.scope["state"].get(_ACTOR)
    return known or await _identify(request, auth)


async def _identify(request: AnyConnection, auth: AuthService) -> Actor:
    """The signed-in user, who has set up two-step login if that is required, or is about to."""
    actor = await _person(request, auth)
    note_person(request.scope, f"support/{actor.email}" if actor.support else f"user/{actor.user_id}")
    if actor.support and not (
        request.scope.get("method") in _READING or ENDS.items() <= request.route_handler.opt.items()
    ):
        raise NotAllowedError("Support looks at this workspace and changes nothing in it.")
    if actor.lacks_second_factor and not SETS_UP.items() <= request.route_handler.opt.items():
        raise SecondFactorRequiredError("/api/v1/me/second-factor")
    return actor


async def _person(request: AnyConnection, auth: AuthService) -> Actor:
    if not request.headers.get("authorization"):
        return await _from_cookies(request, auth)
    token = access_token(request)
    if token is None:
        raise NotSignedInError("Send the access token as `Authorization: Bearer …`.")
    return await auth.authenticate(token)


def access_token(connection: AnyConnection) -> str | None:
    """The request's access token: from the Authorization header, else from a browser's cookie."""
    if not connection.headers.get("authorization"):
        return connection.cookies.get(cookies.ACCESS)
    return _sent_token(connection)


def _sent_token(connection: AnyConnection) -> str | None:
    header = connection.headers.get("authorization", "")
    return header[len(_BEARER) :].strip() if header.lower().startswith(_BEARER) else None


async def _from_cookies(request: AnyConnection, auth: AuthService) -> Actor:
    access = request.cookies.get(cookies.ACCESS)
    if access:
        try:
            return await auth.authenticate(access)
        except NotSignedInError:
            if not request.cookies.get(cookies.REFRESH):
                raise
    refresh = request.cookies.get(cookies.REFRESH)
    if not refresh:
        raise NotSignedInError("Log in first.")
    tokens = await auth.refresh_browser(refresh)
    request.scope["state"][_COOKIES] = cookies.session_cookies(tokens)
    return await auth.authenticate(tokens.access_token)


async def send_renewed_cookies(message: Message, scope: Scope) -> None:
    """Litestar's before_send hook: sets the renewed session's cookies on any response."""
    renewed: list[Cookie] = scope["state"].get(_COOKIES, [])
    if renewed and message["type"] == "http.response.start":
        headers = MutableScopeHeaders.from_message(message)
        for cookie in renewed:
            headers.add("set-cookie", cookie.to_header(header=""))


@raises(CrossSiteError, on_writes=True)
async def refuse_cross_site(request: AnyRequest) -> None:
    """Litestar's before_request hook (CSRF): a write must come from our own pages, or carry a bearer token.

    Raises:
        CrossSiteError: another site's page sent it.
    """
    if request.headers.get("authorization"):
        return
    # Browsers send at least one of these with a write; a client without cookies cannot be abused by CSRF.
    by_browser = not _FROM_PAGES.isdisjoint(request.headers) or not _SESSION.isdisjoint(request.cookies)
    if by_browser and not is_same_origin(request.method, request.headers):
        raise CrossSiteError("Send the form from the workspace's own pages.")
