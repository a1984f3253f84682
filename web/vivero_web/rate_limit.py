"""Rate limits of requests: a layer around a whole application, and guards for routes that need no login.

The layer also counts what no route answers. A guard counts by client address, before the body is read, and gives back
by the answer's status: a good token, link or ticket was no guess, an outage is no fault of the client, and a refused
signup made no workspace. Password guesses are limited in logins.py, mails in links.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, cast

from litestar.connection import ASGIConnection
from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from vivero_web.declared import raises
from vivero_web.errors import TooManyRequestsError
from vivero_web.limiter import Limit, Limiter, Tally
from vivero_web.problem import Answers
from vivero_web.request_context import caller_of

# Health checks, our reachability probe among them; and files of pages, which are cached for a month.
_UNCOUNTED: Final = ("/healthz", "/readyz", "/static/")
_MINUTE: Final = 60

Charge = Callable[[Scope], tuple[Limit, str] | None]
"""The limit that a request counts against, and the key; None: it does not count."""


def a_minute(amount: int, refusal: str) -> Limit:
    """So many requests in any minute."""
    return Limit("requests", amount, _MINUTE, refusal)


def is_counted(path: str) -> bool:
    """Whether requests for this path count."""
    return not path.startswith(_UNCOUNTED)


def per_address(amount: int) -> Charge:
    """So many a minute for each client address, for IPv6 each /64 network."""
    limit = a_minute(amount, "Too many requests from your address.")
    return lambda scope: (limit, caller_of(scope)) if is_counted(scope["path"]) else None


class RateLimit:
    """Answers 429 with Retry-After; every counted answer says what is left, as draft-ietf-httpapi-ratelimit-headers."""

    def __init__(self, app: ASGIApp, limiter: Limiter, answers: Answers, charge: Charge) -> None:
        self._app = app
        self._limiter = limiter
        self._answers = answers
        self._charge = charge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        charged = self._charge(scope) if scope["type"] == ScopeType.HTTP else None
        if charged is None:
            await self._app(scope, receive, send)
            return
        tally = await self._limiter.count(*charged)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableScopeHeaders.from_message(message).update(_headers(tally))
            await send(message)

        if tally.allowed:
            await self._app(scope, receive, with_headers)
        else:
            await self._answers.error(tally.refusal(), scope, receive, with_headers)


def _headers(tally: Tally) -> dict[str, str]:
    limit = tally.limit
    return {
        "ratelimit-policy": f'"{limit.name}";q={limit.amount};w={limit.seconds}',
        "ratelimit": f'"{limit.name}";r={tally.remaining}',
    }


_LIMITS: Final = "vivero_route_limits"
_COUNTED: Final = "vivero_counted_by_route"
_REFUSED: Final = 400
_FAULT: Final = 500
_QUARTER: Final = 15 * 60
_HOUR: Final = 60 * 60


@dataclass(frozen=True, slots=True)
class RouteLimit:
    """A limit, and which answers are given back, by status."""

    limit: Limit
    gives_back: Callable[[int], bool]


SECRETS: Final = "secrets"
LOGOUTS: Final = "logouts"
SIGNUPS: Final = "signups"

_SECRETS: Final = RouteLimit(
    Limit(SECRETS, 300, _QUARTER, "Too many tokens or links from your address that are not good."),
    lambda status: status < _REFUSED or status >= _FAULT,
)
"""Invalid refresh tokens, tickets and links. Nobody guesses 256 bits, but each costs a query of the database. An office of
hundreds whose sessions all ended at once, after a restore, sends one each and stays below it."""
_LOGOUTS: Final = RouteLimit(
    Limit(LOGOUTS, 1000, _QUARTER, "Too many log-outs from your address."), lambda status: status >= _FAULT
)
"""All count, because a log-out without a session is answered like any other. A thousand people may share one address."""


def signups(an_hour: int) -> RouteLimit:
    """Signups; one that created no workspace does not count."""
    limit = Limit(SIGNUPS, an_hour, _HOUR, "Too many workspaces were ordered from your address.")
    return RouteLimit(limit, lambda status: status >= _REFUSED)


class RouteLimits:
    """The route limits of one program."""

    def __init__(self, limiter: Limiter, *more: RouteLimit) -> None:
        self._limiter = limiter
        self._by_name = {limited.limit.name: limited for limited in (_SECRETS, _LOGOUTS, *more)}

    def around(self, app: ASGIApp) -> ASGIApp:
        """The layer that the guard `Counted` needs; it gives back."""

        async def counting(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != ScopeType.HTTP:
                await app(scope, receive, send)
                return
            status, scope["state"][_LIMITS] = _FAULT, self

            async def with_status(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            try:
                await app(scope, receive, with_status)
            finally:
                await self._give_back(scope, status)

        return counting

    async def count(self, which: str, scope: Scope) -> None:
        """Count one more.

        Raises:
            TooManyRequestsError: it is one too many.
        """
        limited = self._by_name[which]
        tally = await self._limiter.count(limited.limit, caller_of(scope))
        if not tally.allowed:
            raise tally.refusal()
        scope["state"][_COUNTED] = limited, tally

    async def _give_back(self, scope: Scope, status: int) -> None:
        counted = cast("tuple[RouteLimit, Tally] | None", scope["state"].pop(_COUNTED, None))
        if counted is not None and counted[0].gives_back(status):
            await self._limiter.give_back(counted[1])


@raises(TooManyRequestsError)
@dataclass(frozen=True, slots=True)
class Counted:
    """Litestar guard of a route that needs no login; `which` is the name of its limit."""

    which: str

    async def __call__(self, connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        route_limits: RouteLimits = connection.scope["state"][_LIMITS]
        await route_limits.count(self.which, connection.scope)
