"""Records as the API and the pages see them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, TypeVar

import msgspec
from vivero_web.fields import LARGEST
from vivero_web.request_context import QUERY_BYTES

from vivero_data.domain.field_types.file import RecordFile
from vivero_data.domain.records.filters import MAX_FILTERS, WHERE_LENGTH, Tree
from vivero_data.lib.pages import DEFAULT_LIMIT

MAX_BATCH: Final = 1000

Values = Annotated[dict[str, Any], msgspec.Meta(description="By the names of the collection's fields.")]


Typed = Annotated[
    bool,
    msgspec.Meta(
        description="Texts among the values are as people type them into a table: `1.234,50`, `yes`, nothing for no value."
    ),
]


class NewRecord(msgspec.Struct, forbid_unknown_fields=True):
    """Values by field name; a field left out gets its default."""

    values: Values


class RecordChanges(msgspec.Struct, forbid_unknown_fields=True):
    """New values for some fields, and the version they are based on."""

    values: Values
    version: (
        Annotated[
            int,
            msgspec.Meta(
                ge=1,
                le=LARGEST,
                description="The version that the changes are based on: what others changed since in other fields stays, "
                "409 with both values where it is the same field.",
            ),
        ]
        | None
    ) = None
    typed: Typed = False


class Attachment(RecordFile, frozen=True, kw_only=True):
    """A file that is attached to a record as a whole, and in none of its fields."""

    attached_at: Annotated[datetime, msgspec.Meta(description="When it was attached.")]
    attached_by: Annotated[str, msgspec.Meta(description="The name of who attached it; empty of who left.")]


class RecordFiles(msgspec.Struct, frozen=True):
    """All files of a record."""

    fields: Annotated[dict[str, list[RecordFile]], msgspec.Meta(description="By the name of the field that has them.")]
    attachments: Annotated[list[Attachment], msgspec.Meta(description="The oldest first.")]


class Record(msgspec.Struct, frozen=True):
    """One row of a collection; numbers have all their digits."""

    id: Annotated[int, msgspec.Meta(description="Its number, which never changes.")]
    version: Annotated[int, msgspec.Meta(description="Grows with every change.")]
    values: Values
    created_at: Annotated[datetime, msgspec.Meta(description="When it was made.")]
    updated_at: Annotated[datetime, msgspec.Meta(description="When it was changed last.")]


RecordNumber = Annotated[int, msgspec.Meta(ge=1, le=LARGEST, description="The record's number.")]
AtVersion = Annotated[
    int,
    msgspec.Meta(
        ge=1, le=LARGEST, description="The version that this is based on: 409 if the same fields changed since."
    ),
]
Row = TypeVar("Row")
Rows = Annotated[list[Row], msgspec.Meta(max_length=MAX_BATCH)]


class RowChanges(msgspec.Struct, forbid_unknown_fields=True):
    """New values for some fields of one record of a batch."""

    id: RecordNumber
    values: Values
    version: AtVersion | None = None


class RowDeletion(msgspec.Struct, forbid_unknown_fields=True):
    """One record of a batch to remove."""

    id: RecordNumber
    version: AtVersion | None = None


class RecordBatch(msgspec.Struct, forbid_unknown_fields=True):
    """Up to 1,000 records to write; deletions are applied first, then changes, then new ones, each in order."""

    create: Annotated[Rows[NewRecord], msgspec.Meta(description="Records to add.")] = []
    update: Annotated[Rows[RowChanges], msgspec.Meta(description="Records to change, each once.")] = []
    delete: Annotated[Rows[RowDeletion], msgspec.Meta(description="Records to remove; none may be changed too.")] = []
    typed: Typed = False


class WrittenRecord(msgspec.Struct, frozen=True):
    """A record that was written."""

    id: Annotated[int, msgspec.Meta(description="Its number.")]
    version: Annotated[int, msgspec.Meta(description="The one that it has now.")]


class WrittenBatch(msgspec.Struct, frozen=True):
    """What was written."""

    created: Annotated[list[WrittenRecord], msgspec.Meta(description="In the order of `create`.")]
    updated: Annotated[list[WrittenRecord], msgspec.Meta(description="In the order of `update`.")]
    deleted: Annotated[int, msgspec.Meta(description="How many were removed.")]


class RecordChange(msgspec.Struct, frozen=True):
    """One entry of a record's history."""

    id: Annotated[int, msgspec.Meta(description="Grows from entry to entry.")]
    at: Annotated[datetime, msgspec.Meta(description="When it was done.")]
    actor: Annotated[str, msgspec.Meta(description="The name of who did it, or their e-mail if they are gone.")]
    action: Annotated[str, msgspec.Meta(description="`record.create`, `record.update`, `comment.create`, …")]
    before: Annotated[
        dict[str, Any] | None, msgspec.Meta(description="The changed values before; null for a creation.")
    ]
    after: Annotated[dict[str, Any] | None, msgspec.Meta(description="The changed values after; null for a deletion.")]


class ExportedRecords(msgspec.Struct, forbid_unknown_fields=True):
    """Which records to export; all of the collection when nothing is said."""

    filters: Annotated[
        list[Annotated[str, msgspec.Meta(max_length=QUERY_BYTES)]],
        msgspec.Meta(max_length=MAX_FILTERS, description="`field:operator:value`, as the list takes them."),
    ] = []
    where: Annotated[
        str, msgspec.Meta(max_length=WHERE_LENGTH, description="A tree of conditions as JSON, as the list takes it.")
    ] = ""


class Total(StrEnum):
    """What stands below a column."""

    COUNT = "count"
    EMPTY = "empty"
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    UNIQUE = "unique"


class Group(msgspec.Struct, frozen=True):
    """The records of a view with an equal value in the field that it is grouped by."""

    value: Annotated[Any, msgspec.Meta(description="The value, as one of the records has it; null for none.")]
    count: Annotated[int, msgspec.Meta(description="How many records.")]
    totals: Annotated[dict[str, Any], msgspec.Meta(description="What stands below the columns, of these records.")]


class RecordTotals(msgspec.Struct, frozen=True):
    """What stands below the columns of a view."""

    totals: Annotated[dict[str, Any], msgspec.Meta(description="By field; null where no record has a value.")]


class RecordCount(msgspec.Struct, frozen=True):
    """How many records match, as far as they were counted."""

    count: Annotated[
        int | None, msgspec.Meta(description="Null when counting was given up because it would take long.")
    ]
    exact: Annotated[bool, msgspec.Meta(description="False: there are more, or it is not known.")]


class Narrowing(msgspec.Struct, frozen=True):
    """What a saved view lets through."""

    where: Tree | None
    search: str


class RecordQuery(msgspec.Struct, frozen=True):
    """Which records, in which order.

    Attributes:
        limit: 1 to 200.
        cursor: `next_cursor` of the page before, with the same sort.
        sort: up to three fields with commas between them, each with `-` before it for descending; by id when empty. A
            backslash goes before a comma in a field's name.
        filters: `field:operator:value`, all of which must hold; operators by
            type: eq ne lt lte gt gte, for texts also contains and starts, for
            all fields empty and filled (value ignored), in (comma-separated). A
            value may hold any character; a backslash goes before a colon in
            a field's name and before a comma in one of in's values.
        where: a tree of conditions as JSON (`filters.py`), which must hold too.
        search: words, each of which must be somewhere in the record's texts.
        narrowing: what must hold besides, when the list is seen through a view.
        allow_slow: also a list that takes long in a large collection, which is refused otherwise.
    """

    limit: int = DEFAULT_LIMIT
    cursor: str | None = None
    sort: str = ""
    filters: tuple[str, ...] = ()
    where: str = ""
    search: str = ""
    allow_slow: bool = False
    narrowing: Narrowing | None = None
