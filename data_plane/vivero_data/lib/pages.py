"""One page of a list read by keyset."""

from typing import Final, Generic, TypeVar

import msgspec
from vivero_web.errors import InvalidInputError

T = TypeVar("T")

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 200  # a page that renders and serializes well below 100 ms


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


def check_limit(limit: int) -> None:
    """Refuse a page size that is none.

    Raises:
        InvalidInputError: outside 1 to MAX_LIMIT.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidInputError.of("limit", f"must be between 1 and {MAX_LIMIT}")
