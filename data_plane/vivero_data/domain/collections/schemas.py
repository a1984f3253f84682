"""Collections and their fields as the API and the pages see them."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec

from vivero_data.lib.pages import DEFAULT_LIMIT

CONTENT_BYTES: Final = 1024 * 1024
"""Of a body that holds what people write: a record with fifty long texts, a definition with all its choices."""


class FieldType(StrEnum):
    """What a field holds; `values.py` in records knows how each is checked and stored."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    CHOICE = "choice"
    EMAIL = "email"
    URL = "url"


class NewField(msgspec.Struct, forbid_unknown_fields=True):
    """A field to define.

    Attributes:
        name: 1 to 64 characters of any script, signs too; not the same as another's but for case.
        type: one of FieldType.
        required: every record has a value.
        unique: no two records have the same value.
        exact: what `unique` takes for the same text: every character alike (of an e-mail address before the @), or as
            people read, without case and accents; exact for email and url by default.
        indexed: sorting and filtering use an index; all but long_text by default.
        default: value of a new record that gives none.
        choices: for a choice field, 1 to 100 of them.
    """

    name: str
    type: FieldType
    required: bool = False
    unique: bool = False
    exact: bool | None = None
    indexed: bool = True
    default: Any = None
    choices: list[str] = []


class NewCollection(msgspec.Struct, forbid_unknown_fields=True):
    """A collection to define, with 1 to 50 fields."""

    name: str
    fields: list[NewField]
    description: str = ""


class Field(msgspec.Struct, frozen=True):
    """A field as it is stored; `id` names its column (`f_<id>`)."""

    id: int
    name: str
    type: FieldType
    required: bool
    unique: bool
    exact: bool
    indexed: bool
    default: Any
    choices: tuple[str, ...]


class Collection(msgspec.Struct, frozen=True):
    """A collection as it is stored; `id` names its table (`c_<id>`)."""

    id: int
    name: str
    description: str
    fields: tuple[Field, ...]
    records: int
    created_at: datetime


class CollectionSummary(msgspec.Struct, frozen=True):
    """A collection where many are shown; `fields` is how many it has."""

    id: int
    name: str
    description: str
    fields: int
    records: int
    created_at: datetime


class CollectionQuery(msgspec.Struct, frozen=True):
    """Which collections, by name.

    Attributes:
        limit: 1 to 200.
        cursor: `next_cursor` of the page before.
        search: what their names have in them, as people read it; all when empty.
    """

    limit: int = DEFAULT_LIMIT
    cursor: str | None = None
    search: str = ""
