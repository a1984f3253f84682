"""Records as the API and the pages see them."""

from datetime import datetime
from typing import Any

import msgspec

from vivero_data.lib.pages import DEFAULT_LIMIT


class NewRecord(msgspec.Struct, forbid_unknown_fields=True):
    """Values by field name; a field left out gets its default."""

    values: dict[str, Any]


class RecordChanges(msgspec.Struct, forbid_unknown_fields=True):
    """New values for some fields, and the version they are based on."""

    values: dict[str, Any]
    version: int | None = None


class Record(msgspec.Struct, frozen=True):
    """One row; `version` grows with every change. A number field's value is a Decimal, exact in JSON too."""

    id: int
    version: int
    values: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class RecordQuery(msgspec.Struct, frozen=True):
    """Which records, in which order.

    Attributes:
        limit: 1 to 200.
        cursor: `next_cursor` of the page before, with the same sort.
        sort: a field, with `-` before it for descending; by id when empty.
        filters: `field:operator:value`, all of which must hold; operators by
            type: eq ne lt lte gt gte, for texts also contains and starts, for
            all fields empty and filled (value ignored), in (comma-separated). A
            value may hold any character; a backslash goes before a colon in
            a field's name and before a comma in one of in's values.
    """

    limit: int = DEFAULT_LIMIT
    cursor: str | None = None
    sort: str = ""
    filters: tuple[str, ...] = ()
