"""Who may come in: a bearer token for the API, a session for pages."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.middleware import AuthenticationResult
from litestar.security.jwt import JWTAuth, JWTAuthenticationMiddleware, Token
from litestar.types import Guard
from vivero_web.current_request import set_current_api_key
from vivero_web.declared import raises
from vivero_web.errors import NotAllowedError, NotSignedInError
from vivero_web.request_context import note_person
from vivero_web.second_factors import SecondFactorRequiredError

from vivero_control.domain.api_keys.schemas import MARK
from vivero_control.domain.api_keys.service import StaffApiKeys
from vivero_control.domain.staff import policies
from vivero_control.domain.staff.errors import NoSessionError
from vivero_control.domain.staff.identity import staff_subject
from vivero_control.domain.staff.schemas import Scope, StaffView
from vivero_control.domain.staff.sessions import SESSION_COOKIE, StaffSessions
from vivero_control.domain.staff.tokens import ALGORITHM, AUDIENCE, ISSUER, SESSION, StaffTokens

STAFF: Final = "staff"
SETS_UP: Final[dict[str, Any]] = {"sets_up_second_factor": True}
"""`opt` of the routes that are open to who has to set up two-step login first."""
StaffRequest = Request[StaffView, Token, Any]
"""Of a route behind `bearer_auth`."""
Dependency = Callable[[Request[Any, Any, Any], StaffSessions], Awaitable[StaffView]]


NEEDS_PERSON: Final[dict[str, Any]] = {"needs_person": True}
"""`opt` of the routes that no API key opens."""
_WRITES: Final = "writes"


def writes(scope: Scope) -> dict[str, Any]:
    """`opt` of the routes that change something, for keys of this scope; without one no key changes anything by them."""
    return {_WRITES: scope}


def scope_of(handler: BaseRouteHandler, *, reads: bool) -> Scope | None:
    """What a key is made for that opens the route; None when no key does."""
    if NEEDS_PERSON.items() <= handler.opt.items():
        return None
    return Scope.READ if reads else handler.opt.get(_WRITES)


def bearer_auth(tokens: StaffTokens, api_keys: StaffApiKeys) -> JWTAuth[StaffView]:
    """Its `middleware` belongs on the routers of staff: `request.user` then is a StaffView, or the answer 401.

    The bearer is an access token of a login, or an API key.
    """

    async def retrieve(token: Token, connection: ASGIConnection[Any, Any, Any, Any]) -> StaffView | None:
        member = await tokens.holder(token.sub, token.extras.get(SESSION))
        if member is not None:
            note_person(connection.scope, staff_subject(member.id))
        return member

    class TokenOrKey(JWTAuthenticationMiddleware):
        """Litestar's, which asks for nothing else once the header is read."""

        async def authenticate_token(
            self, encoded_token: str, connection: ASGIConnection[Any, Any, Any, Any]
        ) -> AuthenticationResult:
            if not encoded_token.startswith(MARK):
                return await super().authenticate_token(encoded_token, connection)
            member = await api_keys.holder(encoded_token)
            if member is None:
                raise NotSignedInError("This API key was revoked, has expired, or its owner may not log in any more.")
            note_person(connection.scope, staff_subject(member.id))
            set_current_api_key(member.api_key)
            return AuthenticationResult(user=member, auth=None)

    return JWTAuth[StaffView](
        token_secret=tokens.secret,
        retrieve_user_handler=retrieve,
        algorithm=ALGORITHM,
        accepted_audiences=[AUDIENCE],
        accepted_issuers=[ISSUER],
        require_claims=["exp", "iat", "sub"],
        # Litestar's default lets HEAD in without a token.
        exclude_http_methods=["OPTIONS"],
        openapi_security_scheme_name=STAFF,
        authentication_middleware_class=TokenOrKey,
    )


async def session_staff(request: Request[Any, Any, Any], sessions: NamedDependency[StaffSessions]) -> StaffView:
    """Dependency `member` of pages behind the login.

    Raises:
        NoSessionError: the error page sends the browser to the login.
        SecondFactorRequiredError: it sends the browser to where that is set up.
    """
    member = await sessions.read(request.cookies.get(SESSION_COOKIE))
    if member is None:
        raise NoSessionError
    note_person(request.scope, staff_subject(member.id))
    require_second_factor(member, request.route_handler)
    return member


def admin_session(to: str) -> Dependency:
    """As `session_staff`, of pages for what only admins do; `to` says what that is."""

    async def dependency(request: Request[Any, Any, Any], sessions: NamedDependency[StaffSessions]) -> StaffView:
        """Raises NoSessionError, SecondFactorRequiredError, NotAllowedError: the role is another."""
        member = await session_staff(request, sessions)
        policies.require_admin(member, to)
        return member

    return dependency


session_admin: Final = admin_session(policies.DECIDE_STAFF)
session_operator: Final = admin_session(policies.OPERATE)
session_seller: Final = admin_session(policies.SELL)
session_connector: Final = admin_session(policies.CONNECT)


def require_second_factor(member: StaffView, handler: BaseRouteHandler) -> None:
    """Refuse who lacks what is required of everybody, but for the routes that set it up.

    Raises:
        SecondFactorRequiredError: saying where that is.
    """
    if member.lacks_second_factor and not SETS_UP.items() <= handler.opt.items():
        raise SecondFactorRequiredError("/api/v1/auth/second-factor")


@raises(SecondFactorRequiredError)
async def second_factor_set_up(
    connection: ASGIConnection[Any, StaffView, Token, Any], handler: BaseRouteHandler
) -> None:
    """Litestar guard of all routes behind `bearer_auth`, before a body is read.

    Raises:
        SecondFactorRequiredError: two-step login is required, and the caller has not set it up.
    """
    if connection.scope.get("method") != "OPTIONS":
        require_second_factor(connection.user, handler)


@raises(NotAllowedError)
async def api_key_allows(connection: ASGIConnection[Any, StaffView, Token, Any], handler: BaseRouteHandler) -> None:
    """Litestar guard of all routes behind `bearer_auth`, before a body is read: a key does what it was made for.

    Raises:
        NotAllowedError: it was not made for this, or no key may do it.
    """
    method = connection.scope.get("method")
    if method != "OPTIONS":
        policies.require_scope(connection.user, scope_of(handler, reads=method in {"GET", "HEAD"}))


def admins(to: str) -> Guard:
    """Litestar guard of routes behind `bearer_auth` for what only admins do: nobody else's body is read.

    What methods there are is no secret.
    """

    @raises(NotAllowedError, needs="Needs the role admin.")
    async def guard(connection: ASGIConnection[Any, StaffView, Token, Any], _: BaseRouteHandler) -> None:
        if connection.scope.get("method") != "OPTIONS":
            policies.require_admin(connection.user, to)

    return guard


admins_only: Final = admins(policies.DECIDE_STAFF)
admins_operate: Final = admins(policies.OPERATE)
admins_sell: Final = admins(policies.SELL)
admins_enter_costs: Final = admins(policies.ENTER_COSTS)
admins_connect: Final = admins(policies.CONNECT)
