"""The stores of the rate limiter: Valkey for all processes, or the memory of this one.

A cache user needs only SET, GET, INCR and DECR for it: no script, which would block every other user of the server, and
no command that sees other users' keys.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Final, Protocol

from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError
from vivero_core.tracing.spans import Kind, span

from vivero_web.errors import UnavailableError

_SYSTEM: Final = {"db.system.name": "redis"}
"""OpenTelemetry's word for servers of this protocol."""
_KEYS_MAX: Final = 20_000  # some 3 MiB: strangers with many addresses must not fill the memory of a small pod


class Counts(Protocol):
    """Counters by key, each with a time to live.

    Every method raises UnavailableError when there is no answer; it may have been carried out.
    """

    async def add(self, key: str, seconds: int, beside: Sequence[str]) -> list[int]:
        """Increment `key`; returns its new count, then those of the keys `beside`, in order.

        The others are read after the increment. So of two concurrent calls at least the second sees the first.
        """

    async def take(self, key: str, seconds: int) -> None:
        """Decrement `key`."""

    async def mark(self, key: str, seconds: int) -> None:
        """Set `key` for so long from now on."""

    async def has(self, key: str) -> bool:
        """Whether `key` exists."""


@contextmanager
def asking() -> Iterator[None]:
    """A span of what is asked of Valkey, and a translation of its errors.

    Raises:
        UnavailableError: no answer, or an error.
    """
    try:
        with span("valkey", Kind.CLIENT, _SYSTEM):
            yield
    except (ValkeyError, OSError, TimeoutError) as error:
        raise UnavailableError("The cache does not answer.") from error


class ExpiringCounts:
    """Counters in memory, each with a time to live; beyond a bound the oldest are evicted."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._counters: dict[str, tuple[int, float]] = {}
        """Count and expiry by key, in insertion order."""

    def get(self, key: str) -> int | None:
        held, end = self._counters.get(key, (0, 0.0))
        return held if end > self._monotonic() else None

    def put(self, key: str, held: int, seconds: float) -> None:
        """For so long from now on."""
        self._counters.pop(key, None)
        self._make_room()
        self._counters[key] = (held, self._monotonic() + seconds)

    def change(self, key: str, by: int, seconds: float) -> None:
        """A new counter begins at zero and lasts so long; an existing one keeps its expiry."""
        held = self.get(key)
        if held is None:
            self.put(key, by, seconds)
        else:
            self._counters[key] = (held + by, self._counters[key][1])

    def _make_room(self) -> None:
        if len(self._counters) < _KEYS_MAX:
            return
        now = self._monotonic()
        self._counters = {key: held for key, held in self._counters.items() if held[1] > now}
        for key in list(islice(self._counters, max(0, len(self._counters) - _KEYS_MAX * 9 // 10))):
            del self._counters[key]


class SharedCounts:
    """In Valkey, below a prefix."""

    def __init__(self, client: Valkey, prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    async def add(self, key: str, seconds: int, beside: Sequence[str]) -> list[int]:
        with asking():
            async with self._client.pipeline(transaction=False) as pipe:
                # In this order no counter is left without an expiry, wherever the connection breaks.
                pipe.set(self._prefix + key, 0, ex=seconds, nx=True)
                pipe.execute_command("INCR", self._prefix + key)  # the client's own `incr` sends INCRBY
                for other in beside:
                    pipe.get(self._prefix + other)
                _, *found = await pipe.execute()
        return [int(count or 0) for count in found]

    async def take(self, key: str, seconds: int) -> None:
        with asking():
            async with self._client.pipeline(transaction=False) as pipe:
                pipe.set(self._prefix + key, 0, ex=seconds, nx=True)
                pipe.execute_command("DECR", self._prefix + key)
                await pipe.execute()

    async def mark(self, key: str, seconds: int) -> None:
        with asking():
            await self._client.set(self._prefix + key, 1, ex=seconds)

    async def has(self, key: str) -> bool:
        with asking():
            return await self._client.get(self._prefix + key) is not None


class LocalCounts:
    """In the memory of this process."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._kept = ExpiringCounts(monotonic)

    async def add(self, key: str, seconds: int, beside: Sequence[str]) -> list[int]:
        self._kept.change(key, 1, seconds)
        return [self._kept.get(one) or 0 for one in (key, *beside)]

    async def take(self, key: str, seconds: int) -> None:
        self._kept.change(key, -1, seconds)

    async def mark(self, key: str, seconds: int) -> None:
        self._kept.put(key, 1, seconds)

    async def has(self, key: str) -> bool:
        return (self._kept.get(key) or 0) > 0
