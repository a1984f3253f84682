"""The worker's queue while Valkey is away: asked with growing pauses, at once again when it is back."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from saq.queue.redis import RedisQueue
from vivero_control.lib import queue
from vivero_control.lib.queue import LONGEST_PAUSE, PrefixedQueue


@given(st.integers(1, 10_000), st.floats(0.5, 1.0))
def test_pauses_grow_to_a_bound(refusals: int, share: float) -> None:
    assert 0 < queue.pause(refusals, share) <= LONGEST_PAUSE
    assert queue.pause(refusals, share) <= queue.pause(refusals + 1, share)


@pytest.mark.parametrize("error", [RedisConnectionError("refused"), OSError("unreachable")], ids=["redis", "system"])
async def test_a_valkey_that_is_away_is_not_asked_again_at_once(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    answers: list[Any] = [error] * 12 + [None, error]

    async def dequeue(*_: object) -> None:
        answer = answers.pop(0)
        if answer is not None:
            raise answer

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(RedisQueue, "dequeue", dequeue)
    asked = PrefixedQueue(Redis(), "test:")
    for _ in range(12):
        with pytest.raises(type(error)):
            await asked.dequeue(1.0)
    assert sum(pauses) > 3 * LONGEST_PAUSE / 2
    assert max(pauses) <= LONGEST_PAUSE
    assert await asked.dequeue(1.0) is None
    with pytest.raises(type(error)):
        await asked.dequeue(1.0)
    assert pauses[-1] < 1, "what answered in between begins with the shortest pause"
