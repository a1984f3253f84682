"""Cursors of keyset pagination: opaque to the caller, validated when they come back.

A cursor holds the sort it was made for and the last row's sort value and id.
It is not a secret and grants nothing (the query runs with the caller's own
rights), so it is encoded, not signed; what comes back is parsed strictly.
"""

import base64
import binascii
from datetime import date
from typing import Any, Final

import msgspec
from vivero_web.errors import InvalidInputError

MAX_LENGTH: Final = 10_000  # three text values of 500 characters, four bytes each, encoded, and room


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ended.

    Attributes:
        sort: of the query, as given; a cursor is only valid for the same sort.
        id: of the last row.
        value: of the sort field in the last row, as text; None for SQL's NULL.
        more: the same of further sort fields.
    """

    sort: str
    id: int
    value: str | None = None
    more: tuple[str | None, ...] = ()


def encode(cursor: Cursor) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).rstrip(b"=").decode()


def by_id(sort: str, last_id: int) -> str:
    """The cursor of a list that is sorted by id only."""
    return encode(Cursor(sort, last_id))


def decode(text: str, sort: str) -> Cursor:
    """The cursor of a page with this sort.

    Raises:
        InvalidInputError: it is malformed, or for another sort.
    """
    if len(text) > MAX_LENGTH:
        raise InvalidInputError.of("cursor", "is not valid")
    try:
        raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        cursor = msgspec.json.decode(raw, type=Cursor)
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise InvalidInputError.of("cursor", "is not valid") from error
    if cursor.sort != sort:
        raise InvalidInputError.of("cursor", "belongs to another sort order; start again without it")
    if not 0 <= cursor.id < 2**63:
        raise InvalidInputError.of("cursor", "is not valid")
    return cursor


def as_text(value: Any) -> str | None:  # noqa: ANN401  a column's value
    """A sort value as text, for the cursor."""
    if value is None:
        return None
    return value.isoformat() if isinstance(value, date) else str(value)
