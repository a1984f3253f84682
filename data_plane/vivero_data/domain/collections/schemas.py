"""Collections and their fields as the API and the pages see them."""

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from litestar.params import PathParameter
from vivero_web.fields import documented

from vivero_data.domain.collections.names import MAX_NAME
from vivero_data.domain.field_types.choice import Choice
from vivero_data.domain.field_types.kind import AmbiguousInput, FieldKind, InvalidValueError
from vivero_data.domain.field_types.options import Options
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.lib.pages import DEFAULT_LIMIT

APART: Final = 4
"""Maximum number of code points of one decomposed letter."""

CollectionName = Annotated[
    str, PathParameter(min_length=1, max_length=MAX_NAME * APART, description="The collection's name, in any case.")
]


CONTENT_BYTES: Final = 1024 * 1024
"""Body limit for content: a record with fifty long texts, a definition with all its choices."""
MAX_FIELDS: Final = 50
MAX_CHOICES: Final = 100
MAX_DESCRIPTION: Final = 500

Name = Annotated[
    str,
    documented("A name in any script; compared without case and spacing.", minLength=1, maxLength=MAX_NAME),
]
Description = Annotated[str, documented("What it is for.", maxLength=MAX_DESCRIPTION)]


Required = Annotated[bool, msgspec.Meta(description="Every record has a value.")]
Unique = Annotated[bool, msgspec.Meta(description="No two records have the same value.")]
Indexed = Annotated[bool, msgspec.Meta(description="Sorting and filtering use an index; never for a long text.")]
Default = Annotated[Any, msgspec.Meta(description="Value of a new record that has none.")]


class NewField(msgspec.Struct, forbid_unknown_fields=True):
    """A field to define."""

    name: Name
    type: FieldType
    required: Required = False
    unique: Unique = False
    exact: Annotated[
        bool | None,
        msgspec.Meta(
            description="What `unique` takes for the same text: every character alike (of an e-mail address before the @), or as "
            "people read, without case and accents. Exact for email and url when it is not said."
        ),
    ] = None
    indexed: Indexed = True
    default: Default = None
    choices: Annotated[
        list[Annotated[str, documented("One choice.", minLength=1, maxLength=Choice.characters)]],
        documented("The values of a choice field; empty for other types.", maxItems=MAX_CHOICES),
    ] = []
    options: Options = msgspec.field(default_factory=Options)

    @property
    def kind(self) -> FieldKind:
        """What its values are like."""
        return self.type.kind.of(self)


class NewCollection(msgspec.Struct, forbid_unknown_fields=True):
    """A collection to define."""

    name: Name
    fields: Annotated[
        list[NewField],
        documented("In the order of forms and columns.", minItems=1, maxItems=MAX_FIELDS),
    ]
    description: Description = ""


class FieldChanges(msgspec.Struct, forbid_unknown_fields=True):
    """What to change about a field; what is left out stays as it is."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    type: FieldType | msgspec.UnsetType = msgspec.UNSET
    required: Required | msgspec.UnsetType = msgspec.UNSET
    unique: Unique | msgspec.UnsetType = msgspec.UNSET
    exact: Annotated[bool, msgspec.Meta(description="As for a new field.")] | msgspec.UnsetType = msgspec.UNSET
    indexed: Indexed | msgspec.UnsetType = msgspec.UNSET
    default: Default | msgspec.UnsetType = msgspec.UNSET
    choices: (
        Annotated[
            list[Annotated[str, documented("One choice.", minLength=1, maxLength=Choice.characters)]],
            documented("The values of a choice field.", maxItems=MAX_CHOICES),
        ]
        | msgspec.UnsetType
    ) = msgspec.UNSET
    options: Options | msgspec.UnsetType = msgspec.UNSET


class CollectionChanges(msgspec.Struct, forbid_unknown_fields=True):
    """What to change about a collection; what is left out stays as it is."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    description: Description | msgspec.UnsetType = msgspec.UNSET
    fields: (
        Annotated[list[Name], documented("The names of all its fields, in their new order.", maxItems=MAX_FIELDS)]
        | msgspec.UnsetType
    ) = msgspec.UNSET


class Field(msgspec.Struct, frozen=True):
    """A field as it is stored."""

    id: Annotated[int, msgspec.Meta(description="Its number, which never changes.")]
    column: Annotated[
        int, msgspec.Meta(description="The number of its column, `f_<column>`: another after a change of its type.")
    ]
    name: Name
    type: FieldType
    required: Required
    unique: Unique
    exact: Annotated[
        bool, msgspec.Meta(description="Whether `unique` takes two texts for the same only when every character is.")
    ]
    indexed: Indexed
    default: Default
    choices: Annotated[tuple[str, ...], msgspec.Meta(description="What a choice field may hold.")]
    options: Options = msgspec.field(default_factory=Options)

    @property
    def kind(self) -> FieldKind:
        """What its values are like."""
        return self.type.kind.of(self)

    @property
    def holds(self) -> FieldType:
        """The type whose values it has: its own, or that of its formula's result."""
        return FieldType(self.options.result) if self.options.result else self.type


class Collection(msgspec.Struct, frozen=True):
    """A collection as it is stored."""

    id: Annotated[int, msgspec.Meta(description="Its number, which never changes: its table is `c_<id>`.")]
    name: Name
    description: Description
    fields: Annotated[tuple[Field, ...], msgspec.Meta(description="In the order of forms and columns.")]
    records: Annotated[int, msgspec.Meta(description="How many it has.")]
    created_at: Annotated[datetime, msgspec.Meta(description="When it was defined.")]
    partial: Annotated[
        bool,
        msgspec.Meta(
            description="Your role sees some of its records: `records` is 0 then, `/records/count` counts them."
        ),
    ] = False


class LostValue(msgspec.Struct, frozen=True):
    """A value that a field cannot keep."""

    record: Annotated[int, msgspec.Meta(description="The number of its record.")]
    value: Annotated[str, msgspec.Meta(description="The value, as a text of at most 100 characters.")]
    problem: Annotated[str, msgspec.Meta(description="Why it cannot be kept.")]


class Calculated(msgspec.Struct, frozen=True):
    """What a formula gives for a record."""

    record: Annotated[int, msgspec.Meta(description="The number of the record.")]
    value: Annotated[Any, msgspec.Meta(description="The value; null if it is empty.")]


class FieldChange(msgspec.Struct, frozen=True):
    """What a change of a field does, or would do."""

    field: Annotated[Field | None, msgspec.Meta(description="The field afterwards; null once it is deleted.")]
    records: Annotated[int, msgspec.Meta(description="How many the collection has.")]
    examined: Annotated[int, msgspec.Meta(description="How many of them the counts below are about.")] = 0
    will_become_empty: Annotated[
        int, msgspec.Meta(description="Values that are lost to the field until it is undone.")
    ] = 0
    missing: Annotated[int, msgspec.Meta(description="Records without a value, though the field requires one.")] = 0
    duplicates: Annotated[
        int, msgspec.Meta(description="Values that several records have, though the field refuses them.")
    ] = 0
    examples: Annotated[
        tuple[LostValue, ...], msgspec.Meta(description="A few of the values that will become empty.")
    ] = ()
    results: Annotated[
        tuple[Calculated, ...], msgspec.Meta(description="Of a formula: what it gives for the first records.")
    ] = ()
    formulas: Annotated[
        tuple[str, ...], msgspec.Meta(description="The formulas that are calculated again, because they use the field.")
    ] = ()
    job: Annotated[
        int | None,
        msgspec.Meta(description="The job that is at it, `/api/v1/jobs/{id}`; null where nothing is left to do."),
    ] = None
    undo: Annotated[
        int | None, msgspec.Meta(description="What undoes it: `POST /api/v1/trash/{id}/restore`, within 30 days.")
    ] = None


class CollectionSummary(msgspec.Struct, frozen=True):
    """A collection where many are shown; `fields` is how many it has."""

    id: int
    name: str
    description: str
    fields: int
    records: int
    created_at: datetime
    partial: bool = False


class CollectionQuery(msgspec.Struct, frozen=True):
    """Which collections, by name.

    Attributes:
        limit: 1 to 200.
        cursor: `next_cursor` of the page before.
        search: part of the name, case-insensitive; all when empty.
    """

    limit: int = DEFAULT_LIMIT
    cursor: str | None = None
    search: str = ""


def parse(field: Field, value: Any) -> Any:  # noqa: ANN401  any JSON value comes in, a column's value goes out
    """The column's value for a JSON value that is not null.

    Raises:
        InvalidValueError: its message says what the value must be.
    """
    if isinstance(value, AmbiguousInput):
        raise InvalidValueError(value.problem)
    return field.kind.parse(value, field)


def present(field: Field, stored: Any) -> Any:  # noqa: ANN401  as above, the other way
    """A column's value as services and JSON have it."""
    return None if stored is None else field.kind.present(stored, field)


def default_of(field: Field) -> Any:  # noqa: ANN401  a field's value
    """The value that a new record gets, as services have it; it was checked when the field was defined."""
    return None if field.default is None else present(field, parse(field, field.default))
