"""The job that adds the index which a slow list asks for, while records are read and written (`advice.py`)."""

from typing import Annotated, Final

import msgspec
from vivero_web.errors import ConflictError, InvalidInputError

from vivero_data.db.database import Connection
from vivero_data.db.errors import DatabaseError
from vivero_data.domain.collections.alteration import BUILD_SECONDS, alter
from vivero_data.domain.collections.columns import table_name
from vivero_data.domain.collections.names import MAX_NAME
from vivero_data.domain.collections.schemas import APART, Collection
from vivero_data.domain.jobs.task import Task, TaskContext
from vivero_data.domain.records.access import access_of
from vivero_data.domain.records.advice import fitting
from vivero_data.domain.records.query import Key, column_of
from vivero_data.domain.users.schemas import Actor, Permission, require_permission

MAX_COLUMNS: Final = 5
_TOO_MANY_KEYS: Final = 1069
_LETTERS: Final = {"created_at": "c", "updated_at": "u", "version": "v"}

Columns = Annotated[
    list[Annotated[str, msgspec.Meta(max_length=1 + MAX_NAME * APART)]],
    msgspec.Meta(
        min_length=1,
        max_length=MAX_COLUMNS,
        description="Fields in the index's order, with `-` before a descending one.",
    ),
]


class NewIndex(msgspec.Struct, forbid_unknown_fields=True):
    """An index to add."""

    columns: Columns


class IndexesFullError(ConflictError):
    """MariaDB bounds the indexes of a table."""

    def __init__(self) -> None:
        super().__init__(
            "The collection has as many indexes as it can have; make some of its fields not sortable first."
        )


class AddIndex(Task, frozen=True):
    """Adds an index over some columns; one that is there already is left as it is."""

    collection: str
    columns: tuple[str, ...]

    async def check(self, connection: Connection, actor: Actor) -> str:
        definition = (await access_of(connection, actor, self.collection)).collection
        keys_of(definition, self.columns)
        return definition.name

    async def run(self, context: TaskContext) -> None:
        require_permission(context.actor, Permission.MANAGE_COLLECTIONS)
        async with context.database.read() as connection:
            definition = (await access_of(connection, context.actor, self.collection)).whole
        keys = keys_of(definition, self.columns)
        async with context.database.patient(BUILD_SECONDS) as connection:
            try:
                await alter(connection, statement(definition, keys))
            except DatabaseError as error:
                raise IndexesFullError if error.code == _TOO_MANY_KEYS else error from error
        async with context.database.transaction() as tx:
            await context.finish(tx, {"records": definition.records})


def keys_of(collection: Collection, texts: tuple[str, ...]) -> tuple[Key, ...]:
    """The columns of an index.

    Raises:
        InvalidInputError: one is none of the collection's, cannot be indexed or is there twice, or they are too wide.
    """
    keys = [_key(collection, f"columns[{place}]", text) for place, text in enumerate(texts[: MAX_COLUMNS + 1])]
    if not 1 <= len(keys) <= MAX_COLUMNS:
        raise InvalidInputError.of("columns", f"must be 1 to {MAX_COLUMNS} fields")
    if len({key.column.sql for key in keys}) < len(keys):
        raise InvalidInputError.of("columns", "must be different fields")
    if len(list(fitting(keys))) < len(keys):
        raise InvalidInputError.of("columns", "are too wide together for an index")
    return tuple(keys)


def _key(collection: Collection, place: str, text: str) -> Key:
    column = column_of(collection, text.removeprefix("-"))
    if column is None or column.sql == "id":
        raise InvalidInputError.of(place, f"names no field of {collection.name}")
    if not column.field.kind.sortable:
        raise InvalidInputError.of(place, f"cannot be {column.field.name}, a {column.field.kind.label.lower()}")
    return Key(column, descending=text.startswith("-"))


def statement(collection: Collection, keys: tuple[Key, ...]) -> str:
    """An idempotent statement; the index is named by the numbers of its columns."""
    parts = [
        f"{_LETTERS.get(key.column.sql) or key.column.field.column}{'d' if key.descending else ''}" for key in keys
    ]
    # The id is in every index, ascending unless it is said: a list has it in the direction of its last column.
    columns = ", ".join([*(key.sql for key in keys), f"id {'DESC' if keys[-1].descending else 'ASC'}"])
    return f"ALTER TABLE {table_name(collection.id)} ADD KEY IF NOT EXISTS `s_{'_'.join(parts)}` ({columns})"
