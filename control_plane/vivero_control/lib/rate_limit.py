"""So many requests a minute for each address, counted in Valkey over all processes."""

from typing import Final

from limits import RateLimitItemPerMinute
from litestar.datastructures import MutableScopeHeaders
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from vivero_web.answers import Answers
from vivero_web.errors import TooManyRequestsError
from vivero_web.request_context import caller_of

from vivero_control.lib.counters import Counters, Verdict

# Monitors, and our own look for a new workspace (signups/arrivals.py); files of a page are cached for a month.
UNCOUNTED: Final = ("/healthz", "/readyz", "/static/")


class RateLimit:
    """Answers 429 with Retry-After; every counted answer says what is left."""

    def __init__(self, app: ASGIApp, counters: Counters, answers: Answers, per_minute: int) -> None:
        self._app = app
        self._counters = counters
        self._answers = answers
        self._limit = RateLimitItemPerMinute(per_minute, namespace="requests")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith(UNCOUNTED):
            await self._app(scope, receive, send)
            return
        verdict = await self._counters.hit(self._limit, caller_of(scope))

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableScopeHeaders.from_message(message).update(_headers(verdict))
            await send(message)

        if verdict.allowed:
            await self._app(scope, receive, tell)
        else:
            refused = TooManyRequestsError("Too many requests from your address.", verdict.reset_after)
            await self._answers.error(refused, scope, receive, tell)


def _headers(verdict: Verdict) -> dict[str, str]:
    return {
        "ratelimit-limit": str(verdict.limit),
        "ratelimit-remaining": str(verdict.remaining),
        "ratelimit-reset": str(int(verdict.reset_after + 0.999)),
    }
