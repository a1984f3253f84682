"""Reports as the API and the pages see them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, UnsetType
from vivero_web.fields import documented

from vivero_data.domain.collections.names import MAX_NAME
from vivero_data.domain.collections.schemas import APART

MAX_GROUPINGS: Final = 2
MAX_MEASURES: Final = 5
MAX_GROUPS: Final = 200
DEFAULT_GROUPS: Final = 50
MAX_DESCRIPTION: Final = 500


class Period(StrEnum):
    """A span of the calendar; weeks begin on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class Function(StrEnum):
    """How the values of a group become one figure."""

    COUNT = "count"
    SUM = "sum"
    AVERAGE = "average"
    MIN = "min"
    MAX = "max"


class Kind(StrEnum):
    """How a report is shown."""

    TABLE = "table"
    BAR = "bar"
    STACKED_BAR = "stacked_bar"
    LINE = "line"
    AREA = "area"
    PIE = "pie"
    NUMBER = "number"
    PIVOT = "pivot"


class Order(StrEnum):
    """The order of the groups: by what they are grouped by, or by the first measure."""

    GROUP = "group"
    GROUP_DESCENDING = "-group"
    VALUE = "value"
    VALUE_DESCENDING = "-value"


FieldName = Annotated[
    str,
    msgspec.Meta(
        max_length=MAX_NAME * APART, description="A field of the collection, or `id`, `created_at`, `updated_at`."
    ),
]
ReportName = Annotated[
    str, documented("What it shows; another report may have the same name.", minLength=1, maxLength=MAX_NAME)
]
Description = Annotated[str, documented("What it is for.", maxLength=MAX_DESCRIPTION)]
Where = Annotated[
    dict[str, Any] | None,
    msgspec.Meta(description="Which records: a tree of conditions, as `where` of a list has it; null for all."),
]
Shared = Annotated[bool, msgspec.Meta(description="Whether everybody in the workspace sees it, not its owner alone.")]


class Grouping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What records are grouped by; dates and times need a period."""

    field: FieldName
    by: Annotated[Period | None, msgspec.Meta(description="Only for dates and times.")] = None


class Measure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A figure of each group."""

    function: Function
    field: Annotated[
        FieldName | None, msgspec.Meta(description="A number; for count, any field counts where it is filled.")
    ] = None


GroupBy = Annotated[
    tuple[Grouping, ...],
    msgspec.Meta(max_length=MAX_GROUPINGS, description="None gives one figure of all records."),
]
Measures = Annotated[
    tuple[Measure, ...], msgspec.Meta(min_length=1, max_length=MAX_MEASURES, description="Its figures.")
]
MostGroups = Annotated[
    int, msgspec.Meta(ge=1, le=MAX_GROUPS, description="More groups than that are put together as one.")
]


class Definition(msgspec.Struct, frozen=True):
    """What a report computes, and how it is shown."""

    where: Where = None
    group_by: GroupBy = ()
    measures: Measures = (Measure(Function.COUNT),)
    kind: Kind = Kind.TABLE
    order: Order = Order.GROUP
    limit: MostGroups = DEFAULT_GROUPS


class NewReport(Definition, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A report to make."""

    name: ReportName
    collection: Annotated[str, msgspec.Meta(max_length=MAX_NAME * APART, description="The name of its collection.")]
    description: Description = ""
    shared: Shared = True


class ReportChanges(msgspec.Struct, forbid_unknown_fields=True):
    """What to change; absent parts stay as they are."""

    name: ReportName | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    shared: Shared | UnsetType = UNSET
    where: Where | UnsetType = UNSET
    group_by: GroupBy | UnsetType = UNSET
    measures: Measures | UnsetType = UNSET
    kind: Kind | UnsetType = UNSET
    order: Order | UnsetType = UNSET
    limit: MostGroups | UnsetType = UNSET


class Report(Definition, frozen=True, kw_only=True):
    """A report as it is stored."""

    id: Annotated[int, msgspec.Meta(description="Its number, which never changes.")]
    name: ReportName
    description: Description
    collection: Annotated[str, msgspec.Meta(description="The name that its collection has now.")]
    owner: Annotated[str, msgspec.Meta(description="E-mail of who made it; empty if that person is gone.")]
    shared: Shared
    problem: Annotated[str, msgspec.Meta(description="Why it cannot be computed any more; empty if it can.")]
    created_at: Annotated[datetime, msgspec.Meta(description="When it was made.")]
    updated_at: Annotated[datetime, msgspec.Meta(description="When it was changed last.")]

    @property
    def definition(self) -> Definition:
        return definition_of(self)


def definition_of(report: Definition) -> Definition:
    """What a report computes, without its name."""
    return Definition(**{name: getattr(report, name) for name in Definition.__struct_fields__})


class ReportRow(msgspec.Struct, frozen=True):
    """One group, or what is left of them."""

    keys: Annotated[
        tuple[Any, ...],
        msgspec.Meta(
            description="One value for each of `group_by`: of a date the first day of its period; null where records have none."
        ),
    ]
    rest: Annotated[
        tuple[bool, ...],
        msgspec.Meta(
            description="For each key whether it stands for all groups beyond the limit; the key is then null."
        ),
    ]
    values: Annotated[tuple[Any, ...], msgspec.Meta(description="One exact number for each measure, or null.")]


class Key(msgspec.Struct, frozen=True):
    """One value of a grouping."""

    value: Annotated[Any, msgspec.Meta(description="As in the rows.")]
    rest: Annotated[bool, msgspec.Meta(description="Whether it stands for all groups beyond the limit.")]


class ReportData(msgspec.Struct, frozen=True):
    """What a report computed."""

    group_by: Annotated[tuple[Grouping, ...], msgspec.Meta(description="What its rows are grouped by.")]
    measures: Annotated[tuple[Measure, ...], msgspec.Meta(description="Its figures.")]
    units: Annotated[
        tuple[str, ...], msgspec.Meta(description="The currency of each measure; empty where it has none.")
    ]
    axes: Annotated[
        tuple[tuple[Key, ...], ...],
        msgspec.Meta(
            description="For each of `group_by` all its keys in order: the rows and columns of a pivot table."
        ),
    ]
    rows: Annotated[tuple[ReportRow, ...], msgspec.Meta(description="In the report's order.")]
    total: Annotated[tuple[Any, ...], msgspec.Meta(description="The measures of all records together.")]
    records: Annotated[int, msgspec.Meta(description="How many records it is about.")]
    as_of: Annotated[
        datetime, msgspec.Meta(description="When it was computed: up to an hour ago for a large collection.")
    ]
