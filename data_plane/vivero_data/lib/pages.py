"""One page of a list read by keyset."""

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")

DEFAULT_LIMIT = 50
MAX_LIMIT = 200  # a page that renders and serializes well below 100 ms


class Page(msgspec.Struct, Generic[T], omit_defaults=True):
    """Items and where the next page starts.

    Attributes:
        items: at most `limit` of them.
        next_cursor: opaque; absent on the last page.
        total: how many there are in all, where that is known without counting.
    """

    items: list[T]
    next_cursor: str | None = None
    total: int | None = None
