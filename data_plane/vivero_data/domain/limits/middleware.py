"""Requests a minute for each address, counted in the cache so that every pod sees the same number."""

import time
from typing import Final

import structlog
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send
from vivero_web.errors import TooManyRequestsError, UnavailableError, explained
from vivero_web.request_context import caller_of

from vivero_data.clients.cache import Cache
from vivero_data.domain.limits.service import LimitService

_WINDOW: Final = 60  # seconds
_FREE: Final = ("/healthz", "/readyz", "/internal/", "/static/")  # probes, the operator, cached files

log = structlog.get_logger(__name__)


class RateLimit(ASGIMiddleware):
    """Fixed windows; a cache that does not answer lets requests through, because work matters more than the count."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, cache: Cache, limits: LimitService) -> None:
        self._cache = cache
        self._limits = limits

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        bound = self._limits.current.requests_per_minute
        if bound is not None and not scope["path"].startswith(_FREE):
            await self._count(caller_of(scope), bound)
        await next_app(scope, receive, send)

    async def _count(self, address: str, bound: int) -> None:
        now = int(time.time())
        try:
            counted = await self._cache.count(f"rate:{address}:{now // _WINDOW}", _WINDOW)
        except UnavailableError as error:
            log.warning("rate_limit_not_counted", problem=explained(error))
            return
        if counted > bound:
            wait = _WINDOW - now % _WINDOW
            raise TooManyRequestsError(f"More than {bound} requests in this minute.", wait)
