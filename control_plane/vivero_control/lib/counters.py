"""Counting requests and attempts, in Valkey for all processes together.

When Valkey is away, each process counts for itself in memory: a limit then
holds for each process instead of for all, and nobody is refused because a
cache is down. Valkey is asked again after a short rest, so that a dead one
does not slow every request by its time limit.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from limits import RateLimitItem
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError
from valkey.asyncio import ConnectionPool

logger = logging.getLogger(__name__)

REST_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether it may happen once more, and what is left.

    Attributes:
        reset_after: seconds until the oldest counted one drops out of the window.
    """

    allowed: bool
    limit: int
    remaining: int
    reset_after: float


class Counters:
    """Moving windows: at no moment more than the limit within the last period."""

    def __init__(self, uri: str, connections: ConnectionPool, prefix: str) -> None:
        shared = RedisStorage(
            uri,
            wrap_exceptions=True,
            key_prefix=f"{prefix}limits",
            connection_pool=connections,  # type: ignore[arg-type]  # the library's annotation forgets it
        )
        self._shared = MovingWindowRateLimiter(shared)
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._rest_until = 0.0
        self._monotonic: Callable[[], float] = time.monotonic

    async def hit(self, limit: RateLimitItem, *who: str) -> Verdict:
        """Count one, unless the limit is reached."""
        return await self._ask(_hit, limit, who)

    async def look(self, limit: RateLimitItem, *who: str) -> Verdict:
        """Whether one more would be allowed, without counting it."""
        return await self._ask(_look, limit, who)

    async def clear(self, limit: RateLimitItem, *who: str) -> None:
        """Start counting from nothing."""
        await self._ask(_clear, limit, who)

    async def _ask(self, question: "_Question", limit: RateLimitItem, who: tuple[str, ...]) -> Verdict:
        if self._monotonic() >= self._rest_until:
            try:
                return await question(self._shared, limit, who)
            except StorageError as error:
                self._rest_until = self._monotonic() + REST_SECONDS
                logger.warning("counting in this process alone, Valkey fails: %s", type(error.storage_error).__name__)
        return await question(self._own, limit, who)


async def _hit(limiter: MovingWindowRateLimiter, limit: RateLimitItem, who: tuple[str, ...]) -> Verdict:
    allowed = await limiter.hit(limit, *who)
    stats = await limiter.get_window_stats(limit, *who)
    return Verdict(
        allowed=allowed,
        limit=limit.amount,
        remaining=stats.remaining if allowed else 0,
        reset_after=max(0.0, stats.reset_time - time.time()),
    )


async def _look(limiter: MovingWindowRateLimiter, limit: RateLimitItem, who: tuple[str, ...]) -> Verdict:
    stats = await limiter.get_window_stats(limit, *who)
    return Verdict(
        allowed=stats.remaining > 0,
        limit=limit.amount,
        remaining=stats.remaining,
        reset_after=max(0.0, stats.reset_time - time.time()),
    )


async def _clear(limiter: MovingWindowRateLimiter, limit: RateLimitItem, who: tuple[str, ...]) -> Verdict:
    await limiter.clear(limit, *who)
    return Verdict(allowed=True, limit=limit.amount, remaining=limit.amount, reset_after=0.0)


_Question = Callable[[MovingWindowRateLimiter, RateLimitItem, tuple[str, ...]], Awaitable[Verdict]]
