from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier

import pytest
from vivero_core.backends.ttl_cache import FRESH_SECONDS, TtlCache


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_look_is_shared_for_a_moment() -> None:
    clock, looks = Clock(), count(1)
    cache = TtlCache(lambda: next(looks), clock)
    assert [cache.get(), cache.get()] == [1, 1]
    clock.now += FRESH_SECONDS
    assert cache.get() == 2
    cache.invalidate()
    assert cache.get() == 3
    cache.put(9)
    assert cache.get() == 9


def test_many_at_once_look_once() -> None:
    looks, start = count(1), Barrier(8)
    cache = TtlCache(lambda: next(looks))

    def ask(_: int) -> int:
        start.wait()
        return cache.get()

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(ask, range(8))) == {1}


def test_a_look_that_fails_is_not_believed() -> None:
    answers = iter([OSError(), None])

    def look() -> None:
        answer = next(answers)
        if answer is not None:
            raise answer

    cache = TtlCache(look)
    with pytest.raises(OSError, match=r"^$"):
        cache.get()
    cache.get()
