"""Wake-ups over Valkey: immediate, also after an outage of Valkey, and never blocking."""

import asyncio
from collections.abc import Callable
from typing import Any, Self, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from valkey.asyncio import Valkey
from valkey.exceptions import ConnectionError as ValkeyConnectionError
from vivero_control.jobs import wakeup
from vivero_control.jobs.wakeup import LONGEST_PAUSE, WakeUp


@given(st.integers(1, 10_000), st.floats(0.5, 1.0))
def test_pauses_grow_to_a_bound(refusals: int, share: float) -> None:
    assert 0 < wakeup.pause(refusals, share) <= LONGEST_PAUSE
    assert wakeup.pause(refusals, share) <= wakeup.pause(refusals + 1, share)


class FakeValkey:
    """A fake client: the channel's messages are a list, an error in it breaks the connection."""

    def __init__(self, *heard: object) -> None:
        self.heard = list(heard)
        self.published: list[str] = []
        self.subscribed: list[str] = []
        self.fails: Exception | None = None
        self.closed = False

    def pubsub(self) -> "FakeValkey":
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return

    async def subscribe(self, channel: str) -> None:
        self.subscribed.append(channel)

    async def get_message(self, **_: object) -> object:
        if not self.heard:
            await asyncio.Event().wait()
        message = self.heard.pop(0)
        if isinstance(message, Exception):
            raise message
        return message

    async def publish(self, channel: str, _: str) -> None:
        await asyncio.sleep(0)
        if self.fails:
            raise self.fails
        self.published.append(channel)

    async def aclose(self, **_: object) -> None:
        self.closed = True


def made(client: FakeValkey) -> WakeUp:
    return WakeUp(cast("Valkey", client), "test:")


async def settled(condition: Callable[[], Any]) -> None:
    for _ in range(10_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("did not happen")


async def listened(client: FakeValkey, heard: Callable[[], None]) -> None:
    """Listen until all messages were received."""
    task = asyncio.create_task(made(client).listen(heard))
    await settled(lambda: not client.heard)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Records the pauses instead of sleeping."""
    taken: list[float] = []
    sleep = asyncio.sleep

    async def at_once(seconds: float) -> None:
        if seconds:
            taken.append(seconds)
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", at_once)
    return taken


@pytest.mark.usefixtures("pauses")
async def test_each_wake_up_is_received() -> None:
    calls: list[str] = []
    await listened(FakeValkey({"data": 1}, None, {"data": b""}, None, None), lambda: calls.append("call"))
    assert len(calls) == 2


@pytest.mark.parametrize("error", [ValkeyConnectionError("refused"), OSError("unreachable")], ids=["valkey", "system"])
async def test_reconnects_to_valkey_back_off_until_it_is_back(pauses: list[float], error: Exception) -> None:
    calls: list[str] = []
    client = FakeValkey(*[error] * 12, {"data": 1}, error, {"data": 1})
    await listened(client, lambda: calls.append("call"))
    assert len(calls) == 2
    assert client.subscribed == ["test:jobs"] * 14
    assert sum(pauses[:12]) > 3 * LONGEST_PAUSE / 2
    assert max(pauses) <= LONGEST_PAUSE
    assert pauses[12] < 1, "what answered in between begins with the shortest pause"


async def test_concurrent_wake_ups_are_coalesced_without_losing_the_last() -> None:
    client = FakeValkey()
    waking = made(client)
    waking.notify()
    await asyncio.sleep(0)
    for _ in range(100):
        waking.notify()
    await settled(lambda: len(client.published) == 2)
    await asyncio.sleep(0.01)
    assert client.published == ["test:jobs"] * 2
    waking.notify()
    await settled(lambda: len(client.published) == 3)


async def test_a_failed_wake_up_does_not_block_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    client = FakeValkey()
    client.fails = ValkeyConnectionError("refused")
    waking = made(client)
    waking.notify()
    await settled(lambda: "publishing the wake-up failed: ConnectionError" in caplog.text)
    client.fails = None
    waking.notify()
    await settled(lambda: client.published)
    await waking.close()
    assert client.closed
