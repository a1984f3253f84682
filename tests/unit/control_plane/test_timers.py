"""Periodic tasks: the first run is immediate; errors are retried or propagated."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from vivero_control.lib.background import run_every
from vivero_web.errors import UnavailableError


async def until_cancelled(do: Callable[[], Awaitable[object]], seconds: float, *, limit: float = 5) -> None:
    task = asyncio.create_task(run_every(seconds, "test", do, limit=limit))
    await asyncio.sleep(0.1)
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled() and (error := task.exception()):
        raise error


async def test_it_runs_at_once_and_not_again_before_its_time() -> None:
    runs: list[int] = []

    async def do() -> None:
        runs.append(1)

    await until_cancelled(do, 3600)
    assert len(runs) == 1
    await until_cancelled(do, 0.01)
    assert len(runs) > 3


async def test_an_unavailable_system_is_retried_by_the_next_run() -> None:
    runs: list[int] = []

    async def do() -> None:
        runs.append(1)
        raise UnavailableError

    await until_cancelled(do, 0.01)
    assert len(runs) > 2


@pytest.mark.parametrize(
    ("error", "expected"), [(KeyError("odd"), KeyError), (None, TimeoutError)], ids=["a fault", "too slow"]
)
async def test_other_errors_propagate_to_the_supervisor(error: Exception | None, expected: type[Exception]) -> None:
    async def do() -> None:
        if error:
            raise error
        await asyncio.sleep(60)

    with pytest.raises(expected):
        await until_cancelled(do, 60, limit=0.01)
