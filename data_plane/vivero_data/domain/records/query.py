"""Translates a query to parametrized SQL: columns, sort order and the keyset condition; pure.

Column names come from field ids and four fixed names; all user input becomes a
parameter.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from vivero_web.errors import InvalidInputError
from vivero_web.text import tidy

from vivero_data.domain.collections.columns import column_name
from vivero_data.domain.collections.schemas import Collection, Field, parse
from vivero_data.domain.field_types.kind import InvalidValueError
from vivero_data.domain.field_types.link import Me
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.lib.cursors import Cursor, as_text
from vivero_data.lib.lists import split_list

MAX_SORTS: Final = 3  # fields: so a cursor with the longest texts still fits an address


class Clause(msgspec.Struct, frozen=True):
    """An SQL condition and its parameters."""

    sql: str
    params: tuple[Any, ...] = ()

    def asked_by(self, user_id: int) -> "Clause":
        """The condition as this person means it."""
        return Clause(self.sql, tuple(user_id if isinstance(one, Me) else one for one in self.params))


class Column(msgspec.Struct, frozen=True):
    """A field's column, or a system column."""

    sql: str
    field: Field
    nullable: bool


class Key(msgspec.Struct, frozen=True):
    """A column to sort by."""

    column: Column
    descending: bool

    @property
    def sql(self) -> str:
        return f"{self.column.sql} {'DESC' if self.descending else 'ASC'}"


class Sort(msgspec.Struct, frozen=True):
    """A sort order; the id is always its last key, in the direction of the one before, so that no two rows are equal."""

    text: str
    keys: tuple[Key, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns before the id, whose values a cursor has."""
        return tuple(key.column.sql for key in self.keys[:-1])

    @property
    def order_by(self) -> str:
        return ", ".join(key.sql for key in self.keys)


def _system(name: str, kind: FieldType, *, indexed: bool = True) -> Column:
    field = Field(0, 0, name, kind, required=True, unique=False, exact=False, indexed=indexed, default=None, choices=())
    return Column(name, field, nullable=False)


_SYSTEM: Final = {
    column.sql: column
    for column in (
        _system("id", FieldType.INTEGER),
        _system("version", FieldType.INTEGER, indexed=False),
        _system("created_at", FieldType.DATETIME),
        _system("updated_at", FieldType.DATETIME),
    )
}


def parse_sort(collection: Collection, text: str) -> Sort:
    """The order of a query's `sort`: fields with commas between them.

    Raises:
        InvalidInputError: no such field, one that cannot be sorted by, too many or one twice.
    """
    keys = [_key(collection, part) for part in split_list(text)] if text else []
    if len(keys) > MAX_SORTS:
        raise InvalidInputError.of("sort", f"may name at most {MAX_SORTS} fields")
    if len({key.column.sql for key in keys}) < len(keys):
        raise InvalidInputError.of("sort", "names a field twice")
    # After the id nothing is left to sort.
    place = next((index for index, key in enumerate(keys) if key.column.sql == "id"), None)
    if place is not None:
        return Sort(text, tuple(keys[: place + 1]))
    return Sort(text, (*keys, Key(_SYSTEM["id"], descending=bool(keys) and keys[-1].descending)))


def _key(collection: Collection, text: str) -> Key:
    column = column_of(collection, text.removeprefix("-"))
    if column is None:
        raise InvalidInputError.of("sort", f"names no field of {collection.name}")
    if not column.field.kind.sortable:
        raise InvalidInputError.of("sort", f"cannot be by {column.field.name}, a {column.field.kind.label.lower()}")
    return Key(column, descending=text.startswith("-"))


def cursor_after(sort: Sort, number: int, values: Sequence[Any]) -> Cursor:
    """The cursor of a row, by its values of the columns that are sorted by."""
    first, *more = map(as_text, values) if values else [None]
    return Cursor(sort.text, number, first, tuple(more))


def after(sort: Sort, cursor: Cursor) -> Clause:
    """The condition for rows after the cursor: a later first key, or the same one and a later second, and so on.

    Raises:
        InvalidInputError: the cursor's values do not fit the fields.
    """
    *keys, by_id = sort.keys
    said = (cursor.value, *cursor.more) if keys else ()
    if len(said) != len(keys):
        raise InvalidInputError.of("cursor", "is not valid")
    same: list[Clause] = []
    later: list[Clause] = []
    for key, text in zip(keys, said, strict=True):
        value = cursor_value(key.column.field, text)
        further = beyond(key, value)
        if further:
            later.append(joined("AND", [*same, further]))
        same.append(_same(key.column, value))
    last = Clause(f"id {'<' if by_id.descending else '>'} %s", (cursor.id,))
    return joined("OR", [*later, joined("AND", [*same, last])])


def cursor_value(field: Field, text: str | None) -> Any:  # noqa: ANN401  a column's value
    """The column's value that a cursor has as text.

    Raises:
        InvalidInputError: it does not fit the field.
    """
    if text is None:
        return None
    try:
        return parse(field, field.kind.from_cursor(text))
    except InvalidValueError as error:
        raise InvalidInputError.of("cursor", f"{field.name} {error}") from error


def _same(column: Column, value: Any) -> Clause:  # noqa: ANN401  a column's value
    return Clause(f"{column.sql} IS NULL") if value is None else Clause(f"{column.sql} = %s", (value,))


def beyond(key: Key, value: Any) -> Clause | None:  # noqa: ANN401  a column's value
    """What comes after a value; MariaDB sorts NULL before every value, so nothing comes after NULL when descending."""
    column, nullable = key.column.sql, key.column.nullable
    if value is None:
        return None if key.descending else Clause(f"{column} IS NOT NULL")
    if key.descending and nullable:
        return Clause(f"({column} < %s OR {column} IS NULL)", (value,))
    return Clause(f"{column} {'<' if key.descending else '>'} %s", (value,))


def joined(word: str, clauses: Sequence[Clause]) -> Clause:
    """One or several clauses as one, with AND or OR between them."""
    if len(clauses) == 1:
        return clauses[0]
    sql = f" {word} ".join(clause.sql for clause in clauses)
    return Clause(f"({sql})", tuple(param for clause in clauses for param in clause.params))


def column_of(collection: Collection, name: str) -> Column | None:
    """The column of a field, or a system column, by its name."""
    tidied = tidy(name)
    if tidied in _SYSTEM:
        return _SYSTEM[tidied]
    for field in collection.fields:
        if field.name == tidied:
            return Column(column_name(field), field, nullable=True)
    return None
