"""One failing item never stops the others; a failed task is restarted."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from vivero_control.lib import background as module
from vivero_control.lib.background import MOST_OUTAGES, for_each, supervise
from vivero_web.errors import ConflictError, UnavailableError, WebError

ODD: dict[str, Callable[[], Exception]] = {
    "bug": ZeroDivisionError,
    "overflow": OverflowError,
    "refused": lambda: ConflictError("no"),
    "away": UnavailableError,
}


def counted(loop: str) -> float:
    return REGISTRY.get_sample_value("vivero_control_skipped_total", {"loop": loop}) or 0.0


@given(st.lists(st.sampled_from(["fine", *ODD]), max_size=40))
def test_every_item_is_processed_whatever_the_others_do(kinds: list[str]) -> None:
    met: list[int] = []

    async def do(item: tuple[int, str]) -> None:
        met.append(item[0])
        if item[1] in ODD:
            error = ODD[item[1]]()
            raise error

    before = counted("test")
    fine = kinds.count("fine")
    if kinds.count("away") < MOST_OUTAGES:
        assert asyncio.run(for_each("test", enumerate(kinds), do, str)) == fine
        assert sorted(met) == list(range(len(kinds)))
        assert counted("test") - before == len(kinds) - fine


async def test_an_unavailable_system_ends_the_run() -> None:
    met: list[int] = []

    async def do(item: int) -> None:
        met.append(item)
        raise UnavailableError

    with pytest.raises(UnavailableError):
        await for_each("test", range(100), do, str)
    assert len(met) == MOST_OUTAGES


async def test_the_order_of_items_varies() -> None:
    seen: set[int] = set()

    async def do(item: int) -> None:
        seen.add(item)
        raise UnavailableError

    for _ in range(60):
        with pytest.raises(UnavailableError):
            await for_each("test", range(30), do, str)
    assert len(seen) == 30


async def test_what_is_skipped_is_named_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def do(item: str) -> None:
        raise WebError(f"about {item}")

    await for_each("trials-close", ["acme"], do, str)
    (record,) = caplog.records
    assert (vars(record)["loop"], vars(record)["item"]) == ("trials-close", "acme")
    assert record.exc_info


async def test_a_failed_task_is_restarted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.001)
    starts: list[int] = []

    async def start() -> None:
        starts.append(1)
        if len(starts) < 4:
            raise KeyError("odd")

    await asyncio.wait_for(supervise("test", start), 60)
    assert len(starts) == 4
    assert REGISTRY.get_sample_value("vivero_control_background_failures_total", {"task": "test"}) == 3


async def test_a_task_is_cancelled_like_any_other() -> None:
    async def start() -> None:
        await asyncio.sleep(60)

    task = asyncio.create_task(supervise("test", start))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
