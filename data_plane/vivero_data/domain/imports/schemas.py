"""Imports as the API and the pages see them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from vivero_web.errors import NotFoundError

from vivero_data.domain.collections.names import MAX_NAME
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.lib.notation import Dates, Notation, Numbers

MAX_COLUMNS: Final = 500
"""Of a file; a collection keeps fewer."""
MAPPING_BYTES: Final = 48 * 1024


class ImportState(StrEnum):
    """How far an import is."""

    WAITING = "waiting"
    RUNNING = "running"
    READY = "ready"
    DONE = "done"
    FAILED = "failed"
    UNDOING = "undoing"
    UNDONE = "undone"


class Mode(StrEnum):
    """What happens to a row whose key a record has: `insert` knows no keys."""

    INSERT = "insert"
    UPSERT = "upsert"


_FieldName = Annotated[str, msgspec.Meta(max_length=4 * MAX_NAME)]


class ColumnOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person decides of a column; what is not said is decided by the file."""

    field: Annotated[
        _FieldName | None, msgspec.Meta(description="The field that it goes into; null leaves it out.")
    ] = None
    type: FieldType | None = None
    numbers: Numbers | None = None
    dates: Dates | None = None


Mapping = dict[str, ColumnOrder | str | None]
"""By the column's name: a field's name, null to leave it out, or more about it."""


class ImportOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to do with the rows of a file."""

    mode: Annotated[Mode, msgspec.Meta(description="`insert`, or `upsert` by `key`.")] = Mode.INSERT
    key: Annotated[
        _FieldName | None, msgspec.Meta(description="The field that tells which record a row is, or `id`.")
    ] = None
    dry_run: Annotated[bool, msgspec.Meta(description="Everything but the writing.")] = False
    name: Annotated[_FieldName | None, msgspec.Meta(description="Of the collection, if the import makes one.")] = None
    mapping: Annotated[
        Mapping,
        msgspec.Meta(
            max_length=MAX_COLUMNS,
            description="By the name of a column: the field it goes to, null to leave it out, or more about it.",
        ),
    ] = {}


class ColumnPlan(msgspec.Struct, frozen=True):
    """One column of the file, and where it goes."""

    name: Annotated[str, msgspec.Meta(description="As the file has it.")]
    field: Annotated[str | None, msgspec.Meta(description="The field it goes to; null if it is left out.")]
    type: Annotated[FieldType, msgspec.Meta(description="The field's type; of a new field as guessed.")]
    notation: Notation
    filled: Annotated[int, msgspec.Meta(description="How many of its cells are not empty.")]
    samples: Annotated[tuple[str, ...], msgspec.Meta(description="Some of its cells.")]
    choices: Annotated[tuple[str, ...], msgspec.Meta(description="Of a new choice field.")] = ()
    currency: Annotated[str, msgspec.Meta(description="Of a new field of money.")] = ""
    open: Annotated[
        str, msgspec.Meta(description="`numbers`, `dates` or `field`: what the file leaves open; empty if nothing.")
    ] = ""


class Guessed(msgspec.Struct, frozen=True):
    """What a column is taken for.

    Attributes:
        open: what only a person can decide, `numbers` or `dates`; empty if nothing.
    """

    name: str
    type: FieldType
    notation: Notation
    filled: int
    longest: int
    samples: tuple[str, ...]
    choices: tuple[str, ...] = ()
    currency: str = ""
    open: str = ""


class Reading(msgspec.Struct, frozen=True):
    """What a file holds."""

    kind: str
    encoding: str
    delimiter: str
    rows: int
    columns: tuple[Guessed, ...]
    first: tuple[tuple[str, ...], ...] = ()


class Plan(msgspec.Struct, frozen=True):
    """How the file is read, and where its columns go."""

    kind: Annotated[str, msgspec.Meta(description="`csv`, `xlsx` or `json`.")]
    encoding: Annotated[str, msgspec.Meta(description="Of a text file.")]
    delimiter: Annotated[str, msgspec.Meta(description="Of a CSV file.")]
    columns: Annotated[tuple[ColumnPlan, ...], msgspec.Meta(description="In the order of the file.")]
    first: Annotated[tuple[tuple[str, ...], ...], msgspec.Meta(description="The first rows.")] = ()


class Import(msgspec.Struct, frozen=True):
    """An import and how far it is."""

    id: Annotated[int, msgspec.Meta(description="Where it is: `/api/v1/imports/{id}`.")]
    state: ImportState
    total: Annotated[int | None, msgspec.Meta(description="Rows of the file, once it was read.")]
    done: Annotated[int, msgspec.Meta(description="Rows dealt with, failed ones too.")]
    failed: Annotated[int, msgspec.Meta(description="Rows that were refused; `/errors` says why.")]
    inserted: Annotated[int, msgspec.Meta(description="Rows that became records.")]
    updated: Annotated[int, msgspec.Meta(description="Rows that changed a record.")]
    unchanged: Annotated[int, msgspec.Meta(description="Rows that a record has already.")]
    kept: Annotated[
        int,
        msgspec.Meta(description="After undoing: records that somebody changed since, which were left as they are."),
    ]
    collection: Annotated[str | None, msgspec.Meta(description="The collection's name.")]
    makes: Annotated[bool, msgspec.Meta(description="Whether the import makes the collection.")]
    file: Annotated[str, msgspec.Meta(description="The file's name.")]
    mode: Mode
    key: Annotated[str | None, msgspec.Meta(description="The field that tells which record a row is.")]
    dry_run: Annotated[bool, msgspec.Meta(description="Nothing is written.")]
    problem: Annotated[str | None, msgspec.Meta(description="Why it stopped.")]
    created_by: Annotated[str, msgspec.Meta(description="E-mail of who asked for it.")]
    created_at: Annotated[datetime, msgspec.Meta(description="When it was asked for.")]
    ended_at: Annotated[datetime | None, msgspec.Meta(description="When it ended; null until then.")]
    plan: Plan | None = None

    @property
    def moves(self) -> bool:
        """Whether something is being done."""
        return self.state in {ImportState.WAITING, ImportState.RUNNING, ImportState.UNDOING}


class ImportNotFoundError(NotFoundError):
    """There is no such import, or it is another person's."""

    def __init__(self) -> None:
        super().__init__("There is no such import; imports are kept for 30 days.")
