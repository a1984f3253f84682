import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vivero_operator.reconcile.queue import Rank, WorkQueue


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def taken(queue: WorkQueue[str], count: int) -> list[str]:
    return [await asyncio.wait_for(queue.get(), 10) for _ in range(count)]


async def empty(queue: WorkQueue[str]) -> bool:
    try:
        await asyncio.wait_for(queue.get(), 0.02)
    except TimeoutError:
        return True
    return False


async def test_a_key_waits_once_and_urgent_ones_go_first() -> None:
    queue = WorkQueue[str]()
    for key in ("a", "b", "a"):
        queue.add(key)
    queue.add("c", Rank.AWAITED)
    queue.add("b", Rank.AWAITED)
    assert len(queue) == 3
    assert await taken(queue, 3) == ["c", "b", "a"]
    assert await empty(queue)


async def test_who_is_nearly_done_goes_first() -> None:
    queue = WorkQueue[str]()
    for key in ("new", "begun", "claimed"):
        queue.add(key, Rank.AWAITED)
    queue.add("begun", Rank.FINISHING)
    assert await taken(queue, 1) == ["begun"]
    queue.done("begun")
    # Where it once waited is not where it waits now.
    queue.add("begun")
    assert await taken(queue, 3) == ["new", "claimed", "begun"]


async def test_a_key_that_is_worked_on_comes_again_afterwards() -> None:
    queue = WorkQueue[str]()
    queue.add("a")
    await queue.get()
    queue.add("a")
    queue.add("a", Rank.AWAITED)
    assert await empty(queue)
    assert not queue.idle
    queue.done("a")
    assert await taken(queue, 1) == ["a"]
    queue.done("a")
    assert queue.idle


async def test_delays() -> None:
    clock = Clock()
    queue = WorkQueue[str](clock)
    queue.add_later("a", 10)
    queue.add_later("a", 20)
    queue.add_later("b", 5)
    queue.add_later("b", 2)
    assert await empty(queue)
    clock.now = 3
    assert await taken(queue, 1) == ["b"]
    queue.done("b")
    clock.now = 10
    assert await taken(queue, 1) == ["a"]
    queue.done("a")
    clock.now = 100
    assert await empty(queue)


async def test_add_voids_a_delay() -> None:
    clock = Clock()
    queue = WorkQueue[str](clock)
    queue.add_later("a", 10)
    queue.add("a")
    assert await taken(queue, 1) == ["a"]
    queue.done("a")
    clock.now = 11
    assert await empty(queue)


async def test_a_waiting_key_needs_no_delay() -> None:
    clock = Clock()
    queue = WorkQueue[str](clock)
    queue.add("a")
    queue.add_later("a", 1)
    await taken(queue, 1)
    queue.done("a")
    clock.now = 2
    assert await empty(queue)


async def test_get_wakes_up_for_what_is_added() -> None:
    queue = WorkQueue[str]()
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.add_later("later", 0.01)
    assert await asyncio.wait_for(waiting, 10) == "later"


@pytest.mark.filterwarnings("default")
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["add", "urgent", "later", "work"])), max_size=60))
def test_no_key_is_lost_and_none_is_worked_on_twice_at_a_time(actions: list[tuple[str, str]]) -> None:
    async def play() -> None:
        queue = WorkQueue[str]()
        expected: set[str] = set()
        running: set[str] = set()
        for key, action in actions:
            match action:
                case "add" | "urgent":
                    queue.add(key, Rank.AWAITED if action == "urgent" else Rank.ROUTINE)
                    expected.add(key)
                case "later":
                    queue.add_later(key, 0.0)
                    expected.add(key)
                case _ if len(queue):
                    got = await queue.get()
                    assert got not in running
                    running.add(got)
                    expected.discard(got)
                case _ if running:
                    queue.done(running.pop())
        for key in list(running):
            queue.done(key)
        while not await empty_now(queue):
            expected.discard(await queue.get())
        assert expected == set()

    async def empty_now(queue: WorkQueue[str]) -> bool:
        queue._release_due()  # noqa: SLF001  what `get` would do first
        return not len(queue)

    asyncio.run(play())


@pytest.mark.parametrize("steps", range(4))
async def test_a_cancellation_that_comes_together_with_a_key_is_one(steps: int) -> None:
    """Else a program that is to stop would wait for ever for a controller that works on."""
    queue = WorkQueue[str]()
    queue.add_later("later", 60)
    waiting = asyncio.create_task(queue.get())
    for _ in range(3):
        await asyncio.sleep(0)
    queue.add("a")
    for _ in range(steps):  # on its way from the key to who waits for it
        await asyncio.sleep(0)
    came_in_time = waiting.cancel()
    await asyncio.wait({waiting})
    assert waiting.cancelled() == came_in_time
