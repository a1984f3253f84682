"""Translates a query to parametrized SQL: columns, sort order and the keyset condition; pure.

Column names come from field ids and four fixed names; all user input becomes a
parameter.
"""

from typing import Any, Final

import msgspec
from vivero_web.errors import InvalidInputError
from vivero_web.text import tidy

from vivero_data.domain.collections.columns import column_name
from vivero_data.domain.collections.schemas import Collection, Field, parse
from vivero_data.domain.field_types.kind import InvalidValueError
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.lib.cursors import Cursor


class Clause(msgspec.Struct, frozen=True):
    """An SQL condition and its parameters."""

    sql: str
    params: tuple[Any, ...] = ()


class Column(msgspec.Struct, frozen=True):
    """A field's column, or a system column."""

    sql: str
    field: Field
    nullable: bool


class Sort(msgspec.Struct, frozen=True):
    """A sort order; the id breaks ties, in the same direction."""

    text: str
    column: Column
    descending: bool

    @property
    def direction(self) -> str:
        return "DESC" if self.descending else "ASC"

    @property
    def by_id(self) -> bool:
        return self.column.sql == "id"

    @property
    def order_by(self) -> str:
        return f"id {self.direction}" if self.by_id else f"{self.column.sql} {self.direction}, id {self.direction}"


def _system(name: str, kind: FieldType) -> Column:
    field = Field(0, 0, name, kind, required=True, unique=False, exact=False, indexed=True, default=None, choices=())
    return Column(name, field, nullable=False)


_SYSTEM: Final = {
    column.sql: column
    for column in (
        _system("id", FieldType.INTEGER),
        _system("version", FieldType.INTEGER),
        _system("created_at", FieldType.DATETIME),
        _system("updated_at", FieldType.DATETIME),
    )
}


def parse_sort(collection: Collection, text: str) -> Sort:
    """The order of a query's `sort`.

    Raises:
        InvalidInputError: no such field, or one that cannot be sorted by.
    """
    if not text:
        return Sort("", _SYSTEM["id"], descending=False)
    column = column_of(collection, text.removeprefix("-"))
    if column is None:
        raise InvalidInputError.of("sort", f"names no field of {collection.name}")
    if not column.field.type.kind.sortable:
        raise InvalidInputError.of(
            "sort", f"cannot be by {column.field.name}, a {column.field.type.kind.label.lower()}"
        )
    return Sort(text, column, descending=text.startswith("-"))


def after(sort: Sort, cursor: Cursor) -> Clause:
    """The condition for rows after the cursor. MariaDB sorts NULL before every value.

    Raises:
        InvalidInputError: the cursor's value does not fit the field.
    """
    beyond = "<" if sort.descending else ">"
    if sort.by_id:
        return Clause(f"id {beyond} %s", (cursor.id,))
    name = sort.column.sql
    if cursor.value is None:
        same = f"({name} IS NULL AND id {beyond} %s)"
        return Clause(same if sort.descending else f"({same} OR {name} IS NOT NULL)", (cursor.id,))
    field = sort.column.field
    try:
        value = parse(field, field.type.kind.from_cursor(cursor.value))
    except InvalidValueError as error:
        raise InvalidInputError.of("cursor", f"{field.name} {error}") from error
    # A keyset condition over one index; NULLs come last when descending.
    terms = f"{name} {beyond} %s OR ({name} = %s AND id {beyond} %s)"
    nulls = f" OR {name} IS NULL" if sort.descending and sort.column.nullable else ""
    return Clause(f"({terms}{nulls})", (value, value, cursor.id))


def column_of(collection: Collection, name: str) -> Column | None:
    """The column of a field, or a system column, by its name."""
    tidied = tidy(name)
    if tidied in _SYSTEM:
        return _SYSTEM[tidied]
    for field in collection.fields:
        if field.name == tidied:
            return Column(column_name(field), field, nullable=True)
    return None
