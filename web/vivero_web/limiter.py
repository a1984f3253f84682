"""So much within so long, the one rule of both programs: no stretch of that length ever has more.

A window is counted in pieces. Who comes is counted first, in the piece of that
moment, and let through if all pieces that the window touches hold no more than
the limit; who is refused is taken back. Because the first and the last piece
count in full, somebody may wait up to a tenth of the window longer than they
would have to, and nobody gets in early. Counting first means that of any
number who come at once no more than the limit get through; what turns out to
be no matter for the limit, such as a right password, is given back.

Each process counts what it sees itself, and then in Valkey with all the
others. Who is above the limit here is above it everywhere, so a flood does not
reach Valkey; and while Valkey does not answer, each process goes on alone with
what it knows: nobody is refused because a cache is down, and no door stands
open because of it. It is asked again after a short rest, so that a dead one
does not slow every request by its time limit.
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
REST_SECONDS: Final = 5.0
T = TypeVar("T")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `amount` within any `seconds`.

    Attributes:
        name: of what is counted; the same for every program that counts it together.
        refusal: a sentence for who is one too many.
    """

    name: str
    amount: int
    seconds: int
    refusal: str

    @property
    def kept(self) -> int:
        """Seconds that a piece is asked for after its first count; one piece more for clocks that differ."""
        return math.ceil(self.seconds * (PIECES + 2) / PIECES)


@dataclass(frozen=True, slots=True)
class Tally:
    """What came of counting one.

    Attributes:
        allowed: whether it is within the limit; what is not is not counted any more.
        remaining: how many more would be.
        wait: seconds until there is room for another, if nobody else takes it; 0 where there is room.
        key: of the piece in which it was counted.
        shared: whether with the other processes.
    """

    limit: Limit
    allowed: bool
    remaining: int
    wait: float
    key: str
    shared: bool

    def refusal(self) -> TooManyRequestsError:
        """What to answer who is not allowed."""
        return TooManyRequestsError(self.limit.refusal, self.wait)


class Limiter:
    """Counts here and in Valkey."""

    def __init__(
        self,
        shared: Counts,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` says seconds since 1970, the same in every process, or as nearly as the machines' clocks agree."""
        self._shared = shared
        self._own = LocalCounts(monotonic)
        self._settled = ExpiringCounts(monotonic)
        self._clock = clock
        self._monotonic = monotonic
        self._rest_until = 0.0

    async def count(self, limit: Limit, who: str) -> Tally:
        """Count one more of `who`."""
        now = self._clock()
        tally = await _tally(self._own, limit, who, now)
        if tally.allowed and (ours := await self._ask(lambda counts: _tally(counts, limit, who, now, self._settled))):
            tally = replace(ours, shared=True)
        if not tally.allowed:
            await self.give_back(tally)
        return tally

    async def demand(self, *asked: tuple[Limit, str]) -> list[Tally]:
        """Count one more against each limit, as whose; or against none, when one of them has no room.

        Raises:
            TooManyRequestsError: so nothing happens, and nothing counts.
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
        """As if it had not been counted."""
        await self._own.take(tally.key, tally.limit.kept)
        if tally.shared:
            await self._ask(lambda counts: counts.take(tally.key, tally.limit.kept))

    async def mark(self, key: str, seconds: int) -> None:
        """Have `key` remembered for so long."""
        await self._own.mark(key, seconds)
        await self._ask(lambda counts: counts.mark(key, seconds))

    async def has(self, key: str) -> bool:
        """Whether `key` is remembered; without Valkey, only what this process was told."""
        return await self._own.has(key) or bool(await self._ask(lambda counts: counts.has(key)))

    async def _ask(self, question: Callable[[Counts], Awaitable[T]]) -> T | None:
        """What Valkey says; None while it does not answer."""
        if self._monotonic() < self._rest_until:
            return None
        try:
            return await question(self._shared)
        except UnavailableError as error:
            if self._monotonic() >= self._rest_until:  # once, of all that asked meanwhile
                log.warning("rate_limit_store_unavailable", problem=explained(error))
            self._rest_until = self._monotonic() + REST_SECONDS
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
