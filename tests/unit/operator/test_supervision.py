"""Background tasks: what ends one is loud, counted, and ends no other; only lost leadership ends the program."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest
from unit.operator.waiting import until
from vivero_core.errors import BackendMisconfiguredError, BackendUnavailableError
from vivero_operator import metrics
from vivero_operator.errors import LeadershipLostError
from vivero_operator.policies import backoff
from vivero_operator.supervision import STABLE_SECONDS, supervised


class Clock:
    """Time goes by in sleeps alone, and each is remembered."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


class Stop(BaseException):
    """Ends a test's loop: nothing that is supervised raises it."""


def failing(
    error: Exception | None, times: int, lasts: Callable[[], None] = lambda: None
) -> Callable[[], Awaitable[None]]:
    """Work that ends so often, with the error or without one."""
    left: Iterator[int] = iter(range(times))

    async def work() -> None:
        if next(left, None) is None:
            raise Stop
        lasts()
        if error is not None:
            raise error

    return work


def restarts(name: str) -> float:
    return float(metrics.TASK_RESTARTS.labels(name)._value.get())  # noqa: SLF001


@pytest.mark.parametrize(
    "error",
    [
        None,
        ValueError("a bug"),
        BackendUnavailableError("kubernetes", "no answer"),
        BackendMisconfiguredError("configuration", "Secret x has no key password"),
        ExceptionGroup("tasks", [KeyError("uid"), ValueError("two")]),
        TimeoutError(),
    ],
    ids=str,
)
async def test_whatever_ends_it_it_starts_again(error: Exception | None, caplog: pytest.LogCaptureFixture) -> None:
    clock, before = Clock(), restarts("rounds")
    with pytest.raises(Stop):
        await supervised("rounds", failing(error, 5), sleep=clock.sleep, clock=clock)
    assert restarts("rounds") == before + 5
    assert len(clock.slept) == 5
    words = f"background task {'ended' if error is None else 'failed'}, restarting it"
    assert [one.message for one in caplog.records].count(words) == 5
    assert all(one.levelname == "ERROR" for one in caplog.records)
    assert {getattr(one, "task", None) for one in caplog.records} == {"rounds"}
    assert error is None or type(error).__name__ in caplog.text


async def test_the_pauses_grow_to_a_bound() -> None:
    clock = Clock()
    with pytest.raises(Stop):
        await supervised("rounds", failing(ValueError(), 12), sleep=clock.sleep, clock=clock)
    assert all(
        backoff.delay(number, 0) <= pause <= backoff.delay(number, 1)
        for number, pause in enumerate(clock.slept, start=1)
    )
    assert max(clock.slept) <= backoff.LONGEST_SECONDS


async def test_after_a_long_time_without_a_fault_they_begin_again() -> None:
    clock = Clock()

    def lasts() -> None:
        clock.now += STABLE_SECONDS + 1

    with pytest.raises(Stop):
        await supervised("rounds", failing(ValueError(), 6, lasts), sleep=clock.sleep, clock=clock)
    assert max(clock.slept) <= backoff.FIRST_SECONDS


@pytest.mark.parametrize(
    "error",
    [
        LeadershipLostError("another replica leads"),
        ExceptionGroup("tasks", [ValueError(), LeadershipLostError("another replica leads")]),
        ExceptionGroup("tasks", [ExceptionGroup("inner", [LeadershipLostError("another replica leads")])]),
    ],
    ids=["itself", "in a group", "in a group of a group"],
)
async def test_lost_leadership_ends_it(error: Exception) -> None:
    clock, before = Clock(), restarts("rounds")
    with pytest.raises(LeadershipLostError, match="another replica leads"):
        await supervised("rounds", failing(error, 1), sleep=clock.sleep, clock=clock)
    assert (restarts("rounds"), clock.slept) == (before, [])


async def test_to_be_cancelled_is_no_failure() -> None:
    before = restarts("rounds")
    task = asyncio.create_task(supervised("rounds", lambda: asyncio.sleep(3600)))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert restarts("rounds") == before


async def test_one_that_fails_all_the_time_stops_no_other() -> None:
    worked = [0]

    async def well() -> None:
        while True:
            worked[0] += 1
            await asyncio.sleep(0)

    async def badly() -> None:
        raise ValueError("every time")

    tasks = [
        asyncio.create_task(supervised(work.__name__, work, sleep=lambda _: asyncio.sleep(0))) for work in (badly, well)
    ]
    before = restarts("badly")
    await until(lambda: restarts("badly") > before + 10)
    assert worked[0] > 5
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
