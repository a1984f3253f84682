"""What anybody may send without a login, besides passwords (logins.py) and requests for mails (mail_limits.py).

Each has a count for each place, by a guard of its route: it counts before the
body is read. By the answer it is given back: whoever showed something that is
good, or met a system that was away, has not guessed; and an order that was
refused made no workspace.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, cast

from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from vivero_web.declared import raises
from vivero_web.errors import TooManyRequestsError
from vivero_web.limiter import Limit, Limiter, Tally
from vivero_web.request_context import caller_of

_DOORS: Final = "vivero_doors"
_COUNTED: Final = "vivero_counted_at_door"
_REFUSED: Final = 400
_FAULT: Final = 500
_QUARTER: Final = 15 * 60
_HOUR: Final = 60 * 60


@dataclass(frozen=True, slots=True)
class Door:
    """A limit, and which answers (by status) are given back."""

    limit: Limit
    spares: Callable[[int], bool]


SECRETS: Final = "secrets"
LOGOUTS: Final = "logouts"
SIGNUPS: Final = "signups"

_SECRETS: Final = Door(
    Limit(SECRETS, 300, _QUARTER, "Too many tokens or links from your address that are not good."),
    lambda status: status < _REFUSED or status >= _FAULT,
)
"""Refresh tokens, tickets and links that are not good. Nobody guesses 256 bits; each costs us a question to the database.
An office of hundreds whose sessions have all ended at once, after a restore, shows one each and stays below it."""
_LOGOUTS: Final = Door(
    Limit(LOGOUTS, 1000, _QUARTER, "Too many log-outs from your address."), lambda status: status >= _FAULT
)
"""All count, because one of nobody is answered like any other. A thousand people who leave at six may be one office."""


def signups(an_hour: int) -> Door:
    """Orders of workspaces; those that made none do not count."""
    limit = Limit(SIGNUPS, an_hour, _HOUR, "Too many workspaces were ordered from your address.")
    return Door(limit, lambda status: status >= _REFUSED)


class Doors:
    """Of one program."""

    def __init__(self, limiter: Limiter, *more: Door) -> None:
        self._limiter = limiter
        self._doors = {door.limit.name: door for door in (_SECRETS, _LOGOUTS, *more)}

    def around(self, app: ASGIApp) -> ASGIApp:
        """The layer that the guards need, and that gives back."""

        async def counting(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != ScopeType.HTTP:
                await app(scope, receive, send)
                return
            status, scope["state"][_DOORS] = _FAULT, self

            async def noting(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            try:
                await app(scope, receive, noting)
            finally:
                await self._leave(scope, status)

        return counting

    async def enter(self, which: str, scope: Scope) -> None:
        """Count one more.

        Raises:
            TooManyRequestsError: it is one too many.
        """
        door = self._doors[which]
        tally = await self._limiter.count(door.limit, caller_of(scope))
        if not tally.allowed:
            raise tally.refusal()
        scope["state"][_COUNTED] = door, tally

    async def _leave(self, scope: Scope, status: int) -> None:
        counted = cast("tuple[Door, Tally] | None", scope["state"].pop(_COUNTED, None))
        if counted is not None and counted[0].spares(status):
            await self._limiter.give_back(counted[1])


@raises(TooManyRequestsError)
@dataclass(frozen=True, slots=True)
class Counted:
    """Litestar guard of a route that strangers may use: `which` is the name of its limit."""

    which: str

    async def __call__(self, connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        doors: Doors = connection.scope["state"][_DOORS]
        await doors.enter(self.which, connection.scope)
