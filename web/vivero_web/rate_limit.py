"""So many requests within so long, as a layer around a whole application: it holds for what no route answers as well."""

from collections.abc import Callable
from typing import Final

from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from vivero_web.answers import Answers
from vivero_web.limiter import Limit, Limiter, Tally
from vivero_web.request_context import caller_of

# Asked by monitors, and by us of a new workspace; files of a page are cached for a month.
_UNCOUNTED: Final = ("/healthz", "/readyz", "/static/")
_MINUTE: Final = 60

Charge = Callable[[Scope], tuple[Limit, str] | None]
"""What a request counts against, and as whose; None: it does not count."""


def a_minute(amount: int, refusal: str) -> Limit:
    """So many requests within any minute."""
    return Limit("requests", amount, _MINUTE, refusal)


def is_counted(path: str) -> bool:
    """Whether requests for it count at all."""
    return not path.startswith(_UNCOUNTED)


def per_address(amount: int) -> Charge:
    """So many a minute for each address, and for each IPv6 household."""
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

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableScopeHeaders.from_message(message).update(_headers(tally))
            await send(message)

        if tally.allowed:
            await self._app(scope, receive, tell)
        else:
            await self._answers.error(tally.refusal(), scope, receive, tell)


def _headers(tally: Tally) -> dict[str, str]:
    limit = tally.limit
    return {
        "ratelimit-policy": f'"{limit.name}";q={limit.amount};w={limit.seconds}',
        "ratelimit": f'"{limit.name}";r={tally.remaining}',
    }
