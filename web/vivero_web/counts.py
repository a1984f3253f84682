"""Where limits count: in Valkey for all processes together, or in this one alone.

SET, GET, INCR and DECR are all that a cache user needs for it: no script, which
would hold up every other user of the server, and no command that sees foreign keys.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Final, Protocol

from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError

from vivero_web.errors import UnavailableError

_KEYS_MAX: Final = 20_000  # some 3 MiB: strangers with many addresses must not fill the memory of a small pod


class Counts(Protocol):
    """Numbers by key, each of which goes away a while after it came.

    Every method raises UnavailableError when there is no answer; what was asked may have happened then.
    """

    async def add(self, key: str, seconds: int, beside: Sequence[str]) -> list[int]:
        """Count one more under `key`: its new count, and after that, in order, what the keys `beside` hold.

        The counts beside are read later than the one is added. So of two that
        count under each other's eyes, at least the second sees the first.
        """

    async def take(self, key: str, seconds: int) -> None:
        """Count one less under `key`."""

    async def mark(self, key: str, seconds: int) -> None:
        """Have `key` for so long from now on."""

    async def has(self, key: str) -> bool:
        """Whether there is anything under `key`."""


@contextmanager
def asking() -> Iterator[None]:
    """Around calls of Valkey.

    Raises:
        UnavailableError: it does not answer, or refuses.
    """
    try:
        yield
    except (ValkeyError, OSError, TimeoutError) as error:
        raise UnavailableError("The cache does not answer.") from error


class ExpiringCounts:
    """Numbers by key, each with an end; of too many the oldest are forgotten."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._held: dict[str, tuple[int, float]] = {}
        """Number and end by key, the first that came first."""

    def get(self, key: str) -> int | None:
        held, end = self._held.get(key, (0, 0.0))
        return held if end > self._monotonic() else None

    def put(self, key: str, held: int, seconds: float) -> None:
        """For so long from now on."""
        self._held.pop(key, None)
        self._make_room()
        self._held[key] = (held, self._monotonic() + seconds)

    def change(self, key: str, by: int, seconds: float) -> None:
        """A new one begins with nothing and lasts so long; one that is there keeps its end."""
        held = self.get(key)
        if held is None:
            self.put(key, by, seconds)
        else:
            self._held[key] = (held + by, self._held[key][1])

    def _make_room(self) -> None:
        if len(self._held) < _KEYS_MAX:
            return
        now = self._monotonic()
        self._held = {key: held for key, held in self._held.items() if held[1] > now}
        for key in list(islice(self._held, max(0, len(self._held) - _KEYS_MAX * 9 // 10))):
            del self._held[key]


class SharedCounts:
    """In Valkey, under a prefix."""

    def __init__(self, client: Valkey, prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    async def add(self, key: str, seconds: int, beside: Sequence[str]) -> list[int]:
        with asking():
            async with self._client.pipeline(transaction=False) as pipe:
                # In this order no count is left without an end, wherever the connection breaks.
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
    """In this process."""

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
