"""One page of a list with keyset pagination."""

from collections.abc import Callable, Sequence
from typing import Annotated, Final, Generic, TypeVar

import msgspec
from litestar.params import QueryParameter
from vivero_web.errors import InvalidInputError

from vivero_data.lib.cursors import MAX_LENGTH

T = TypeVar("T")

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 200  # a page that renders and serializes well below 100 ms

PageLimit = Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT, description="How many items a page has at most.")]
PageCursor = Annotated[
    str | None,
    QueryParameter(max_length=MAX_LENGTH, description="`next_cursor` of the previous page; none for the first page."),
]


class Page(msgspec.Struct, Generic[T], omit_defaults=True):
    """Items and where the next page starts."""

    items: Annotated[list[T], msgspec.Meta(description="At most `limit` of them.")]
    next_cursor: Annotated[str | None, msgspec.Meta(description="Opaque; absent on the last page.")] = None
    total: Annotated[int | None, msgspec.Meta(description="Total number, if known without counting.")] = None


def check_limit(limit: int) -> None:
    """Validate a page size.

    Raises:
        InvalidInputError: outside 1 to MAX_LIMIT.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidInputError.of("limit", f"must be between 1 and {MAX_LIMIT}")


def page_of(found: Sequence[T], limit: int, cursor_of: Callable[[T], str], total: int | None = None) -> Page[T]:
    """The page of items that were read with one more than the limit; that one shows that there is a next page."""
    items = list(found[:limit])
    return Page(items, cursor_of(items[-1]) if len(found) > limit else None, total)
