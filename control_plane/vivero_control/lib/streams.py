"""How many event streams one process holds open at once."""

from collections.abc import AsyncIterator
from typing import TypeVar

T = TypeVar("T")


class StreamSlots:
    """Counts open streams against a limit, so that idle readers cannot use up the process."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open = 0

    def full(self) -> bool:
        return self._open >= self._limit

    async def counted(self, stream: AsyncIterator[T]) -> AsyncIterator[T]:
        """The same items; counts from the first one asked for until the end, however it ends."""
        self._open += 1
        try:
            async for item in stream:
                yield item
        finally:
            self._open -= 1
