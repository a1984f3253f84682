"""Guessing is slow from wherever it comes, and the account's owner at their desk does not notice."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.counting import Cache, Time, limiter_on, process
from vivero_web.errors import InvalidInputError, NotSignedInError, TooManyRequestsError, UnavailableError
from vivero_web.logins import Logins

ACCOUNT, DESK = "owner@example.com", "192.0.2.1"
QUARTER = 15 * 60


async def check(*, right: bool) -> None:
    await asyncio.sleep(0)
    if not right:
        raise NotSignedInError


async def attempt(logins: Logins, *, right: bool, account: str = ACCOUNT, place: str = DESK) -> str:
    """How one try to log in ends."""
    try:
        async with logins.guess(account, place):
            await check(right=right)
    except NotSignedInError:
        return "wrong"
    except TooManyRequestsError:
        return "wait"
    return "in"


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def logins(time: Time) -> Logins:
    return Logins(limiter_on(time))


async def crowd(logins: Logins, size: int) -> list[str]:
    """Every place tries a few times."""
    tries = (attempt(logins, right=False, place=f"place {number % size}") for number in range(size * 5))
    return await asyncio.gather(*tries)


async def test_of_fifty_concurrent_guesses_five_are_checked(logins: Logins) -> None:
    ends = await asyncio.gather(*(attempt(logins, right=False) for _ in range(50)))
    assert ends.count("wrong") == 5
    assert ends.count("wait") == 45
    assert await attempt(logins, right=True) == "wait", "or guessing on would tell when it is right"


async def test_one_place_neither_closes_an_account_nor_hinders_others_there(logins: Logins) -> None:
    await asyncio.gather(*(attempt(logins, right=False) for _ in range(50)))
    assert await attempt(logins, right=True, place="elsewhere") == "in"
    assert await attempt(logins, right=True, account="colleague@example.com") == "in"


@given(st.integers(20, 60))
async def test_a_crowd_gets_few_guesses_and_the_owner_gets_in_where_they_are_known(size: int) -> None:
    logins = Logins(limiter_on(Time()))
    assert await attempt(logins, right=True) == "in"
    assert (await crowd(logins, size)).count("wrong") == 20
    assert await attempt(logins, right=True) == "in"
    assert await attempt(logins, right=True, place="a hotel") == "wait"


async def test_a_place_that_a_ticket_proved_is_known(logins: Logins) -> None:
    await logins.trust(ACCOUNT, "a hotel")
    await crowd(logins, 30)
    assert await attempt(logins, right=True, place="a hotel") == "in"


async def test_a_known_place_may_not_guess_more_than_others(logins: Logins) -> None:
    await logins.trust(ACCOUNT, DESK)
    ends = await asyncio.gather(*(attempt(logins, right=False) for _ in range(50)))
    assert ends.count("wrong") == 5


async def test_nobody_waits_longer_than_the_quarter_hour_and_a_bit(logins: Logins, time: Time) -> None:
    await crowd(logins, 30)
    with pytest.raises(TooManyRequestsError) as refused:
        async with logins.guess(ACCOUNT, "a hotel"):
            pass
    wait = int(refused.value.headers["Retry-After"])
    assert 0 < wait <= QUARTER * 1.1 + 1
    time.now += wait
    assert await attempt(logins, right=True, place="a hotel") == "in"


async def test_one_place_tries_few_passwords_at_all_accounts_together(logins: Logins) -> None:
    ends = await asyncio.gather(
        *(attempt(logins, right=False, account=f"member{number}@example.com") for number in range(200))
    )
    assert ends.count("wrong") == 50


async def test_right_passwords_do_not_count(logins: Logins) -> None:
    assert {await attempt(logins, right=True) for _ in range(200)} == {"in"}
    assert {await attempt(logins, right=True, account=f"{number}@example.com") for number in range(200)} == {"in"}


async def test_what_was_no_guess_does_not_count(logins: Logins) -> None:
    """Neither a system that was away, nor a try that was refused."""
    for _ in range(30):
        with pytest.raises(UnavailableError):
            async with logins.guess(ACCOUNT, DESK):
                raise UnavailableError
    for _ in range(4):
        assert await attempt(logins, right=False) == "wrong"
    assert await attempt(logins, right=True) == "in"
    for number in range(40):
        assert await attempt(logins, right=False, place=f"place {number % 4}") in {"wrong", "wait"}
    assert await attempt(logins, right=True, place="a hotel") == "wait"
    assert await attempt(logins, right=False, account="other@example.com", place="place 0") == "wrong"


async def test_any_error_that_tells_of_a_wrong_password_counts(logins: Logins) -> None:
    for _ in range(5):
        with pytest.raises(InvalidInputError):
            async with logins.guess(ACCOUNT, DESK):
                raise InvalidInputError.of("current_password", "is not your current password")
    assert await attempt(logins, right=True) == "wait"


@pytest.mark.parametrize("spelling", ["OWNER@example.com", "  owner@example.com ", "Owner@Example.Com"])
async def test_an_account_has_one_count_for_all_its_spellings(logins: Logins, spelling: str) -> None:
    for _ in range(5):
        await attempt(logins, right=False)
    assert await attempt(logins, right=True, account=spelling) == "wait"


@pytest.mark.parametrize("account", ["", "\ud800@example.com", "\x00", "a" * 100_000, "ä@例え.jp"])
async def test_anything_may_be_typed_for_an_account(logins: Logins, account: str) -> None:
    assert await attempt(logins, right=False, account=account) == "wrong"


async def test_the_cache_does_not_learn_who_logs_in(time: Time) -> None:
    cache = Cache(time)
    logins = Logins(process(cache, time))
    await attempt(logins, right=False)
    await attempt(logins, right=True)
    assert cache.keys
    assert not [key for key in cache.keys if "owner" in key or "example.com" in key]


async def test_without_the_cache_guesses_are_bounded_all_the_same(time: Time) -> None:
    logins = Logins(process(Cache(time, away=True), time))
    ends = await asyncio.gather(*(attempt(logins, right=False) for _ in range(50)))
    assert ends.count("wrong") == 5
    assert await attempt(logins, right=True, place="elsewhere") == "in"
