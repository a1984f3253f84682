"""Saved views as the API has them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec
from litestar.params import PathParameter
from msgspec import UNSET, UnsetType
from vivero_web.errors import FieldError
from vivero_web.fields import LARGEST, documented

from vivero_data.domain.collections.names import MAX_NAME
from vivero_data.domain.collections.schemas import APART, MAX_FIELDS
from vivero_data.domain.records.query import MAX_SORTS
from vivero_data.domain.records.schemas import Total
from vivero_data.domain.records.where import MAX_SEARCH

LONGEST_NAME: Final = MAX_NAME * APART
MAX_FOLDED: Final = 50
MAX_POSITION: Final = 1_000_000
WIDTHS: Final = (40, 1_000)  # pixels

ViewId = Annotated[int, PathParameter(ge=1, le=LARGEST, description="The view's number.")]
FieldName = Annotated[str, msgspec.Meta(max_length=LONGEST_NAME, description="A field's name.")]


class ViewKind(StrEnum):
    """How a view shows its records."""

    GRID = "grid"
    BOARD = "board"
    CALENDAR = "calendar"


class RowHeight(StrEnum):
    """How high the rows of a table are."""

    COMPACT = "compact"
    NORMAL = "normal"
    TALL = "tall"


ColumnWidth = (
    Annotated[int, msgspec.Meta(ge=WIDTHS[0], le=WIDTHS[1], description="In pixels; by the field's type if null.")]
    | None
)


class ViewColumn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A column of a view."""

    field: FieldName
    width: ColumnWidth = None


ViewName = Annotated[str, documented("Compared without case and spacing.", minLength=1, maxLength=MAX_NAME)]
Columns = Annotated[
    tuple[ViewColumn, ...],
    msgspec.Meta(max_length=MAX_FIELDS, description="In the order shown; all fields if there is none."),
]
Widths = Annotated[
    dict[FieldName, ColumnWidth],
    msgspec.Meta(
        max_length=MAX_FIELDS,
        description="New widths for some of the columns; a view of all fields keeps those that it has now.",
    ),
]
Where = Annotated[
    dict[str, Any] | None, msgspec.Meta(description="A tree of conditions, as `where` of a list has it; null for none.")
]
Search = Annotated[str, msgspec.Meta(max_length=MAX_SEARCH, description="Words, as `search` of a list has them.")]
Sorts = Annotated[
    tuple[Annotated[str, msgspec.Meta(max_length=1 + LONGEST_NAME)], ...],
    msgspec.Meta(max_length=MAX_SORTS, description="Fields, each with `-` before it for descending."),
]
GroupBy = Annotated[
    FieldName | None,
    msgspec.Meta(description="The field whose equal values stand together; of a board, whose values are its columns."),
]
Start = Annotated[
    FieldName | None,
    msgspec.Meta(description="Of a calendar: the field with a date or a time, by which it shows records."),
]
End = Annotated[
    FieldName | None,
    msgspec.Meta(description="Of a calendar: a field of the same type as `start`, until which a record lasts."),
]
Height = Annotated[RowHeight, msgspec.Meta(description="Of the rows of a table.")]
Folded = Annotated[
    tuple[Annotated[Any, msgspec.Meta(description="A value, as records have it.")], ...],
    msgspec.Meta(
        max_length=MAX_FOLDED,
        description="Values of `group_by` whose records the table does not show below their headings, null for none.",
    ),
]
Totals = Annotated[
    dict[FieldName, Total], msgspec.Meta(max_length=MAX_FIELDS, description="What stands below columns, by field.")
]
Shared = Annotated[bool, msgspec.Meta(description="Seen by everybody of the workspace, not only by its owner.")]
Default = Annotated[bool, msgspec.Meta(description="What the collection shows first; only of a shared view.")]
Locked = Annotated[
    bool,
    msgspec.Meta(description="Changed only by who manages collections, also if it is one's own; of a shared view."),
]
Position = Annotated[
    int, msgspec.Meta(ge=0, le=MAX_POSITION, description="Views are listed by it; a new one is the last.")
]


class Spec(msgspec.Struct, frozen=True):
    """What a view shows, by the names of fields."""

    kind: ViewKind = ViewKind.GRID
    columns: Columns = ()
    where: Where = None
    search: Search = ""
    sort: Sorts = ()
    group_by: GroupBy = None
    folded: Folded = ()
    sums: Totals = {}
    start: Start = None
    end: End = None
    height: Height = RowHeight.NORMAL


class NamedView(msgspec.Struct, frozen=True):
    """A view among those of all collections."""

    id: int
    name: str
    kind: ViewKind
    collection: str


def _spec_of(view: "NewView | View") -> Spec:
    return Spec(**{name: getattr(view, name) for name in Spec.__struct_fields__})


class NewView(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A view to save."""

    name: ViewName
    kind: ViewKind = ViewKind.GRID
    columns: Columns = ()
    where: Where = None
    search: Search = ""
    sort: Sorts = ()
    group_by: GroupBy = None
    folded: Folded = ()
    sums: Totals = {}
    start: Start = None
    end: End = None
    height: Height = RowHeight.NORMAL
    shared: Shared = False
    default: Default = False
    locked: Locked = False
    position: Position | None = None

    @property
    def spec(self) -> Spec:
        return _spec_of(self)


class ViewChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """New values for some parts of a view."""

    name: ViewName | UnsetType = UNSET
    kind: ViewKind | UnsetType = UNSET
    columns: Columns | UnsetType = UNSET
    where: Where | UnsetType = UNSET
    search: Search | UnsetType = UNSET
    sort: Sorts | UnsetType = UNSET
    group_by: GroupBy | UnsetType = UNSET
    folded: Folded | UnsetType = UNSET
    sums: Totals | UnsetType = UNSET
    start: Start | UnsetType = UNSET
    end: End | UnsetType = UNSET
    height: Height | UnsetType = UNSET
    widths: Widths | UnsetType = UNSET
    shared: Shared | UnsetType = UNSET
    default: Default | UnsetType = UNSET
    locked: Locked | UnsetType = UNSET
    position: Position | UnsetType = UNSET


class View(msgspec.Struct, frozen=True):
    """A saved view."""

    id: Annotated[int, msgspec.Meta(description="Its number, which never changes.")]
    name: ViewName
    kind: ViewKind
    columns: Columns
    where: Where
    search: Search
    sort: Sorts
    group_by: GroupBy
    folded: Folded
    sums: Totals
    start: Start
    end: End
    height: Height
    shared: Shared
    default: Default
    locked: Locked
    position: Position
    owner_id: Annotated[int, msgspec.Meta(description="The account of who saved it.")]
    gone: Annotated[
        tuple[str, ...], msgspec.Meta(description="Fields that it was saved with and that are no more; it lacks them.")
    ]
    broken: Annotated[
        bool,
        msgspec.Meta(
            description="A condition does not fit its field any more, or there is none: it lists nothing until changed."
        ),
    ]
    problems: Annotated[
        tuple[FieldError, ...],
        msgspec.Meta(description="What does not fit the fields since one was changed or deleted; the view lacks it."),
    ]
    created_at: Annotated[datetime, msgspec.Meta(description="When it was saved.")]
    updated_at: Annotated[datetime, msgspec.Meta(description="When it was changed last.")]

    @property
    def spec(self) -> Spec:
        return _spec_of(self)
