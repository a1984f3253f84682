"""Nobody can have us fill a mailbox, and a refused request costs nobody a mail."""

import asyncio

import pytest
from support.counting import Cache, Time, process
from vivero_web.errors import TooManyRequestsError
from vivero_web.limiter import Limiter
from vivero_web.links import by_caller, of_invitations, to_recipient

HOUR = 60 * 60


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def cache(time: Time) -> Cache:
    return Cache(time)


@pytest.fixture
def limiter(cache: Cache, time: Time) -> Limiter:
    return process(cache, time)


async def asked(limiter: Limiter, email: str, caller: str) -> bool:
    try:
        await limiter.count_all(by_caller(caller), to_recipient(email))
    except TooManyRequestsError:
        return False
    return True


async def test_of_fifty_at_once_three_reach_one_mailbox_whoever_asks(limiter: Limiter, time: Time) -> None:
    spellings = ("ada@example.com", "ADA@example.com ")
    sent = await asyncio.gather(*(asked(limiter, spellings[n % 2], f"place {n}") for n in range(50)))
    assert sent.count(True) == 3
    time.now += HOUR * 1.2
    assert await asked(limiter, spellings[0], "place 1")


async def test_of_fifty_at_once_twenty_go_out_for_one_caller(limiter: Limiter) -> None:
    sent = await asyncio.gather(*(asked(limiter, f"{n}@example.com", "an office") for n in range(50)))
    assert sent.count(True) == 20


async def test_of_a_hundred_and_fifty_at_once_a_hundred_are_invited_in_a_day(limiter: Limiter, time: Time) -> None:
    async def invited(number: int) -> bool:
        try:
            await limiter.count_all(of_invitations(), to_recipient(f"{number}@example.com"))
        except TooManyRequestsError:
            return False
        return True

    sent = await asyncio.gather(*map(invited, range(150)))
    assert sent.count(True) == 100
    time.now += HOUR * 12
    assert not await invited(150)
    time.now += HOUR * 15
    assert await invited(151)


async def test_what_one_limit_refuses_counts_against_no_other(limiter: Limiter) -> None:
    for number in range(30):
        await asked(limiter, "ada@example.com", "an office")
        assert await asked(limiter, f"{number}@example.com", "an office") is (number < 17)


async def test_no_address_of_a_mailbox_stands_in_the_cache(limiter: Limiter, cache: Cache) -> None:
    await asked(limiter, "ada@example.com", "192.0.2.1")
    assert cache.keys
    assert not [key for key in cache.keys if "ada" in key]
