"""The sliding-window rate limiter of both programs: no window of that length ever has more than the limit.

A window is counted in pieces. A request is counted first, in the present piece, and allowed if all pieces that the
window touches hold no more than the limit; a refused one is given back. The first and the last piece count in full, so
somebody may wait up to a tenth of the window too long, and nobody gets in early. Because counting comes first, of any
number of concurrent requests no more than the limit are allowed. What the limit is not about, such as a right password,
is given back afterwards.

Each process counts locally, and then in Valkey with all others. What is above the limit locally is above it everywhere,
so a flood does not reach Valkey. While Valkey is unavailable each process goes on with its local counts: a cache outage
refuses nobody and disables no limit. Valkey is retried after a pause, so that its timeout does not slow every request.
"""

import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final, TypeVar

import structlog

from vivero_web.counts import Counts, ExpiringCounts, LocalCounts
from vivero_web.errors import TooManyRequestsError, UnavailableError, explained

PIECES: Final = 10
RETRY_SECONDS: Final = 5.0
T = TypeVar("T")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `amount` within any `seconds`.

    Attributes:
        name: of what is counted; programs that count together use the same.
        refusal: a sentence for people, in the 429.
    """

    name: str
    amount: int
    seconds: int
    refusal: str

    @property
    def kept(self) -> int:
        """Seconds for which a piece is needed after its first count; one piece more for clock skew."""
        return math.ceil(self.seconds * (PIECES + 2) / PIECES)


@dataclass(frozen=True, slots=True)
class Tally:
    """The result of counting one.

    Attributes:
        allowed: whether it is within the limit; otherwise it was given back.
        remaining: how many more would be allowed.
        wait: seconds until another would be allowed; 0 if one would be now.
        key: of the piece in which it was counted.
        shared: whether it was counted in Valkey.
    """

    limit: Limit
    allowed: bool
    remaining: int
    wait: float
    key: str
    shared: bool

    def refusal(self) -> TooManyRequestsError:
        """The 429 for who is not allowed."""
        return TooManyRequestsError(self.limit.refusal, self.wait)


class Limiter:
    """Counts locally and in Valkey."""

    def __init__(
        self,
        shared: Counts,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` returns seconds since 1970, up to the clock skew of the machines."""
        self._shared = shared
        self._own = LocalCounts(monotonic)
        self._settled = ExpiringCounts(monotonic)
        self._clock = clock
        self._monotonic = monotonic
        self._retry_at = 0.0

    async def count(self, limit: Limit, who: str) -> Tally:
        """Count one more of `who`."""
        now = self._clock()
        tally = await _tally(self._own, limit, who, now)
        if tally.allowed and (
            ours := await self._shared_or_none(lambda counts: _tally(counts, limit, who, now, self._settled))
        ):
            tally = replace(ours, shared=True)
        if not tally.allowed:
            await self.give_back(tally)
        return tally

    async def count_all(self, *asked: tuple[Limit, str]) -> list[Tally]:
        """Count one request against each limit, or against none if one of them is reached.

        Raises:
            TooManyRequestsError: nothing was counted.
        """
        counted: list[Tally] = []
        for limit, who in asked:
            tally = await self.count(limit, who)
            if not tally.allowed:
                for one in counted:
                    await self.give_back(one)
                raise tally.refusal()
            counted.append(tally)
        return counted

    async def give_back(self, tally: Tally) -> None:
        """Undo a count."""
        await self._own.take(tally.key, tally.limit.kept)
        if tally.shared:
            await self._shared_or_none(lambda counts: counts.take(tally.key, tally.limit.kept))

    async def mark(self, key: str, seconds: int) -> None:
        """Remember `key` for so long."""
        await self._own.mark(key, seconds)
        await self._shared_or_none(lambda counts: counts.mark(key, seconds))

    async def has(self, key: str) -> bool:
        """Whether `key` is remembered; without Valkey, by this process."""
        return await self._own.has(key) or bool(await self._shared_or_none(lambda counts: counts.has(key)))

    async def _shared_or_none(self, call: Callable[[Counts], Awaitable[T]]) -> T | None:
        """The result from Valkey; None while it is unavailable."""
        if self._monotonic() < self._retry_at:
            return None
        try:
            return await call(self._shared)
        except UnavailableError as error:
            if self._monotonic() >= self._retry_at:  # once, of all concurrent failures
                log.warning("rate_limit_store_unavailable", problem=explained(error))
            self._retry_at = self._monotonic() + RETRY_SECONDS
            return None


async def _tally(counts: Counts, limit: Limit, who: str, now: float, settled: ExpiringCounts | None = None) -> Tally:
    """Count one more and add up the window.

    `settled` are counts of pieces that ended a whole piece ago: no clock and no
    answer is that late, so each is asked for once.
    """
    newest = int(now * PIECES // limit.seconds)
    # The next piece as well: another process may be there already, by its clock or because we were held up.
    pieces = {f"{limit.name}:{who}:{piece}": piece for piece in range(newest - PIECES, newest + 2)}
    key = f"{limit.name}:{who}:{newest}"
    held = {one: count for one in pieces if settled and (count := settled.get(one)) is not None}
    asked = [one for one in pieces if one != key and one not in held]
    held |= zip([key, *asked], await counts.add(key, limit.kept, asked), strict=True)
    for one in asked:
        if settled and pieces[one] < newest - 1:
            settled.put(one, held[one], limit.kept)
    room = limit.amount - sum(held.values())
    wait = 0.0
    if room < 0:
        # Without those who are being refused right now, what is left is within the limit, so one piece is enough.
        oldest = min(pieces[one] for one, count in held.items() if count > 0)
        wait = (oldest + PIECES + 1) * limit.seconds / PIECES - now
    return Tally(limit=limit, allowed=room >= 0, remaining=max(0, room), wait=wait, key=key, shared=False)
