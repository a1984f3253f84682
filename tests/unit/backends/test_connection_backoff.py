"""How often an API server is tried that is away, whoever asks for it."""

import asyncio
import ssl
from collections.abc import AsyncIterator

import pytest
from vivero_core.backends.kube.backoff import PAUSE_SECONDS, ConnectionBackoff
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.config import KubeConfig
from vivero_core.backends.kube.errors import KubeUnavailableError


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Listener:
    """Hangs up on everybody, and counts them."""

    def __init__(self) -> None:
        self.count = 0

    async def hang_up(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.count += 1
        writer.transport.abort()


@pytest.fixture
async def listener(unused_tcp_port: int) -> AsyncIterator[Listener]:
    listener = Listener()
    async with await asyncio.start_server(listener.hang_up, "127.0.0.1", unused_tcp_port):
        yield listener


def test_one_try_in_a_pause_while_it_is_away(clock: Clock) -> None:
    backoff = ConnectionBackoff(clock)
    assert backoff.try_now()
    assert backoff.try_now()
    backoff.failed()
    assert not backoff.try_now()
    clock.now += 2 * PAUSE_SECONDS
    assert backoff.try_now()
    assert not backoff.try_now(), "one at a time"
    backoff.succeeded()
    assert backoff.try_now()
    assert backoff.try_now()


async def test_clients_of_one_server_share_it(listener: Listener, unused_tcp_port: int, clock: Clock) -> None:
    """A server that is reached and hangs up is away too."""
    backoff = ConnectionBackoff(clock)
    config = KubeConfig(f"http://127.0.0.1:{unused_tcp_port}", ssl.create_default_context())
    async with (
        KubeClient(config, field_manager="one", backoff=backoff) as one,
        KubeClient(config, field_manager="two", backoff=backoff) as two,
    ):
        for client in (one, two, one):
            with pytest.raises(KubeUnavailableError):
                await client.version()
        assert listener.count == 1
        clock.now += 2 * PAUSE_SECONDS
        for client in (two, one):
            with pytest.raises(KubeUnavailableError):
                await client.version()
        assert listener.count == 2
