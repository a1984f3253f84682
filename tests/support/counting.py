"""A clock that tests move, and counts that behave as a cache can."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from vivero_web.counts import Counts, LocalCounts
from vivero_web.errors import UnavailableError
from vivero_web.limiter import Limiter
from vivero_web.rate_limit import RouteLimits, signups

NOON = 1_800_000_000.0


@dataclass
class Time:
    """Seconds since 1970, as slow as a test wants."""

    now: float = NOON

    def __call__(self) -> float:
        return self.now


@dataclass
class Cache:
    """Keeps what it is told as a cache would; others get a turn in the middle of each call."""

    time: Time
    away: bool = False
    asked: int = 0
    keys: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._held: Counts = LocalCounts(self.time)

    async def add(self, key: str, seconds: int, beside: Sequence[str]) -> list[int]:
        await self._answer(key, *beside)
        (count,) = await self._held.add(key, seconds, ())
        await asyncio.sleep(0)
        _, *others = await self._held.add("of no interest", 1, beside)
        return [count, *others]

    async def take(self, key: str, seconds: int) -> None:
        await self._answer(key)
        await self._held.take(key, seconds)

    async def mark(self, key: str, seconds: int) -> None:
        await self._answer(key)
        await self._held.mark(key, seconds)

    async def has(self, key: str) -> bool:
        await self._answer(key)
        return await self._held.has(key)

    async def _answer(self, *keys: str) -> None:
        self.asked += 1
        await asyncio.sleep(0)
        if self.away:
            raise UnavailableError
        self.keys.update(keys)


def process(cache: Counts, time: Time) -> Limiter:
    """The limiter of one process."""
    return Limiter(cache, clock=time, monotonic=time)


def limiter_on(time: Time) -> Limiter:
    return process(Cache(time), time)


def unlimited() -> RouteLimits:
    """For programs whose counts are no matter."""
    return RouteLimits(Limiter(LocalCounts()), signups(1_000_000))
