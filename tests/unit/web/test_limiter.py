"""No stretch of a window's length has more than the limit, whoever comes when; and nobody waits for long without need."""

import asyncio
from collections.abc import Coroutine, Generator, Sequence
from itertools import accumulate, cycle
from types import coroutine
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from support.counting import NOON, Cache, Time, limiter_on, process
from vivero_web.counts import LocalCounts
from vivero_web.limiter import PIECES, RETRY_SECONDS, Limit, Tally

AMOUNTS, SECONDS = st.integers(1, 8), st.sampled_from([1, 7, 60, 900])
# In windows: many at one moment, close together, about a window apart, and far apart.
GAPS = st.lists(st.sampled_from([0.0, 0.0, 0.001, 0.04, 0.09, 0.1, 0.5, 0.9, 0.999, 1.0, 1.001, 3.0]), max_size=60)
STARTS = st.floats(0, 1).map(lambda part: NOON + part * 1000)


def limit_of(amount: int, seconds: int) -> Limit:
    return Limit("tries", amount, seconds, "Too many.")


def most_in_a_window(moments: Sequence[float], seconds: float) -> int:
    """All but a microsecond of it: floats of this size tell no less apart."""
    return max((sum(start <= one <= start + seconds - 1e-6 for one in moments) for start in moments), default=0)


@given(AMOUNTS, SECONDS, STARTS, GAPS)
async def test_no_window_has_more_than_the_limit(amount: int, seconds: int, start: float, gaps: list[float]) -> None:
    time, limit = Time(start), limit_of(amount, seconds)
    cache = Cache(time)
    processes = cycle([process(cache, time) for _ in range(3)])
    passed = []
    for moment in accumulate((gap * seconds for gap in gaps), initial=start):
        time.now = moment
        if (await next(processes).count(limit, "a")).allowed:
            passed.append(moment)
    assert most_in_a_window(passed, seconds) <= amount
    assert len(passed) >= min(amount, len(gaps) + 1)


@coroutine
def held_up() -> Generator[None, None, None]:
    yield


class HeldUp(LocalCounts):
    """Its callers wait for the network until a test lets them go on."""

    async def add(self, key: str, seconds: int, beside: Sequence[str]) -> list[int]:
        await held_up()
        return await super().add(key, seconds, beside)


@given(AMOUNTS, SECONDS, STARTS, st.lists(st.tuples(st.floats(0, 2), st.floats(0, 0.99)), max_size=40))
# Of three processes the first looks at a piece that the second still counts in, and comes again.
@example(2, 60, NOON, [(0.12, 0.0), (0.05, 0.9), (1.9, 0.0), (0.3, 0.0)])
def test_it_holds_among_processes_that_are_held_up(
    amount: int, seconds: int, start: float, comers: list[tuple[float, float]]
) -> None:
    """Each comes at a moment and is counted up to one piece later, so that counts arrive in any order."""
    time, limit = Time(start), limit_of(amount, seconds)
    cache = HeldUp(time)
    processes = [process(cache, time) for _ in range(3)]
    started: dict[int, Coroutine[Any, Any, Tally]] = {}
    passed = []
    events = [(start + at * seconds, False, number) for number, (at, _) in enumerate(comers)]
    events += [(start + (at + late / PIECES) * seconds, True, number) for number, (at, late) in enumerate(comers)]
    for time.now, ends, number in sorted(events):
        if not ends:
            started[number] = processes[number % 3].count(limit, "a")
        if number not in started:
            continue  # refused at once, by what its own process knows
        try:
            started[number].send(None)
        except StopIteration as done:
            del started[number]
            if done.value.allowed:
                passed.append(start + comers[number][0] * seconds)
    assert most_in_a_window(passed, seconds) <= amount


@given(AMOUNTS, st.integers(1, 60))
async def test_of_many_at_once_exactly_the_limit_gets_through(amount: int, comers: int) -> None:
    limiter = limiter_on(Time())
    tallies = await asyncio.gather(*(limiter.count(limit_of(amount, 60), "a") for _ in range(comers)))
    assert sum(tally.allowed for tally in tallies) == min(amount, comers)


@given(AMOUNTS, SECONDS, STARTS, GAPS)
async def test_who_waits_as_told_gets_in(amount: int, seconds: int, start: float, gaps: list[float]) -> None:
    time, limit = Time(start), limit_of(amount, seconds)
    limiter = limiter_on(time)
    for gap in gaps:
        time.now += gap * seconds
        tally = await limiter.count(limit, "a")
        if tally.allowed:
            assert tally.wait == 0
            continue
        assert 0 < tally.wait <= seconds * (1 + 1 / PIECES) + 0.001
        time.now += tally.wait + 0.001
        assert (await limiter.count(limit, "a")).allowed


@given(AMOUNTS, SECONDS, STARTS)
async def test_a_pace_a_tenth_below_the_limit_is_never_refused(amount: int, seconds: int, start: float) -> None:
    time, limit = Time(start), limit_of(amount, seconds)
    limiter = limiter_on(time)
    for _ in range(5 * amount):
        assert (await limiter.count(limit, "a")).allowed
        time.now += seconds * 1.101 / amount


@given(AMOUNTS, st.integers(0, 20))
async def test_what_is_given_back_was_never_counted(amount: int, rounds: int) -> None:
    limiter, limit = limiter_on(Time()), limit_of(amount, 60)
    for _ in range(rounds):
        tallies = [await limiter.count(limit, "a") for _ in range(amount)]
        assert [tally.remaining for tally in tallies] == list(range(amount - 1, -1, -1))
        assert not (await limiter.count(limit, "a")).allowed
        for tally in tallies:
            await limiter.give_back(tally)


async def test_each_is_counted_alone() -> None:
    limiter, limit = limiter_on(Time()), limit_of(1, 60)
    assert (await limiter.count(limit, "a")).allowed
    assert (await limiter.count(limit, "b")).allowed
    assert (await limiter.count(Limit("others", 1, 60, "Too many."), "a")).allowed
    assert not (await limiter.count(limit, "a")).allowed


async def test_processes_count_together() -> None:
    time = Time()
    cache, limit = Cache(time), limit_of(4, 60)
    processes = [process(cache, time) for _ in range(3)]
    tallies = await asyncio.gather(*(one.count(limit, "a") for one in processes * 5))
    assert sum(tally.allowed for tally in tallies) == 4


async def test_without_the_cache_a_process_counts_alone_and_asks_again_after_a_rest() -> None:
    time = Time()
    cache, limit = Cache(time, away=True), limit_of(2, 60)
    limiter = process(cache, time)
    assert [(await limiter.count(limit, "a")).allowed for _ in range(4)] == [True, True, False, False]
    await limiter.mark("place", 60)
    assert await limiter.has("place")
    assert cache.asked == 1, "a cache that is away is not asked for every request"
    cache.away = False
    time.now += RETRY_SECONDS
    assert not (await limiter.count(limit, "a")).allowed, "what it counted alone still counts"
    assert (await limiter.count(limit, "b")).allowed
    assert cache.asked == 2


@given(AMOUNTS, st.lists(st.booleans(), max_size=60))
async def test_a_cache_that_comes_and_goes_lets_nobody_through_a_process(amount: int, answers: list[bool]) -> None:
    time, limit = Time(), limit_of(amount, 900)
    cache = Cache(time)
    limiter, passed = process(cache, time), 0
    for answering in answers:
        cache.away = not answering
        passed += (await limiter.count(limit, "a")).allowed
        time.now += RETRY_SECONDS + 0.1
    assert passed == min(amount, len(answers))


async def test_a_flood_does_not_reach_the_cache() -> None:
    time = Time()
    cache = Cache(time)
    limiter = process(cache, time)
    for _ in range(1000):
        await limiter.count(limit_of(3, 60), "a")
    assert cache.asked == 3


async def test_what_is_settled_is_asked_once() -> None:
    time = Time()
    cache, limit = Cache(time), limit_of(50, 60)
    limiter = process(cache, time)
    for _ in range(3 * PIECES):
        await limiter.count(limit, "a")
        cache.keys.clear()
        await limiter.count(limit, "a")
        assert len(cache.keys) == 3, "the piece of now, the one before and the one after"
        time.now += limit.seconds / PIECES


async def test_a_cache_that_goes_away_before_something_is_given_back_hurts_nobody() -> None:
    time = Time()
    cache, limit = Cache(time), limit_of(1, 60)
    limiter = process(cache, time)
    tally = await limiter.count(limit, "a")
    cache.away = True
    await limiter.give_back(tally)


async def test_strangers_do_not_fill_the_memory() -> None:
    counts = LocalCounts(Time())
    for number in range(50_000):
        await counts.mark(f"stranger {number}", 900)
    assert not await counts.has("stranger 0")
    assert await counts.has("stranger 49999")
    assert sum([await counts.has(f"stranger {number}") for number in range(50_000)]) < 25_000


async def test_what_is_over_is_forgotten_before_what_counts() -> None:
    time = Time()
    counts = LocalCounts(time)
    await counts.mark("early and long", 900)
    for number in range(15_000):
        await counts.mark(f"short {number}", 1)
    time.now += 2
    for number in range(10_000):
        await counts.mark(f"late {number}", 900)
    assert await counts.has("early and long")


async def test_what_was_only_taken_from_is_not_remembered() -> None:
    counts = LocalCounts(Time())
    await counts.take("place", 900)
    assert not await counts.has("place")
