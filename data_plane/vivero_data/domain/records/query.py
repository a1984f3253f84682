"""From a query's words to SQL with parameters: filters, sort order and the place where a page begins; pure.

Column names come from field ids and four fixed names; everything a user typed
becomes a parameter.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec
from vivero_web.errors import InvalidInputError
from vivero_web.text import tidy

from vivero_data.domain.collections.columns import column_name
from vivero_data.domain.collections.schemas import Collection, Field
from vivero_data.domain.field_types.kind import UnfitValueError
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.records.filters import parse_filter, split_list
from vivero_data.domain.records.values import parse
from vivero_data.lib.cursors import Cursor
from vivero_data.lib.like import like

MAX_FILTERS: Final = 20
MAX_LIST: Final = 100  # values of one `in`

_COMPARE: Final = {"eq": "=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_ORDERED: Final = frozenset({"lt", "lte", "gt", "gte"})


class Clause(msgspec.Struct, frozen=True):
    """A condition and its parameters."""

    sql: str
    params: tuple[Any, ...] = ()


class Column(msgspec.Struct, frozen=True):
    """A field's column, or one that every record has."""

    sql: str
    field: Field
    nullable: bool


class Sort(msgspec.Struct, frozen=True):
    """An order; the id decides between equal values, in the same direction."""

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
    field = Field(0, name, kind, required=True, unique=False, exact=False, indexed=True, default=None, choices=())
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
    column = _column(collection, text.removeprefix("-"), "sort")
    if not column.field.type.kind.sortable:
        raise InvalidInputError.of(
            "sort", f"cannot be by {column.field.name}, a {column.field.type.kind.words.lower()}"
        )
    return Sort(text, column, descending=text.startswith("-"))


def parse_filters(collection: Collection, texts: Iterable[str]) -> list[Clause]:
    """The conditions of a query's `filter`s.

    Raises:
        InvalidInputError: one that cannot be read, or does not fit its field.
    """
    found = [_filter(collection, text) for text in texts]
    if len(found) > MAX_FILTERS:
        raise InvalidInputError.of("filter", f"may be given at most {MAX_FILTERS} times")
    return found


def after(sort: Sort, cursor: Cursor) -> Clause:
    """The rows beyond the cursor's. MariaDB sorts NULL before every value.

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
    value = _value(sort.column.field, sort.column.field.type.kind.from_cursor(cursor.value), "cursor")
    # Two keyset terms over one index; NULLs come last when descending.
    terms = f"{name} {beyond} %s OR ({name} = %s AND id {beyond} %s)"
    nulls = f" OR {name} IS NULL" if sort.descending and sort.column.nullable else ""
    return Clause(f"({terms}{nulls})", (value, value, cursor.id))


def _filter(collection: Collection, text: str) -> Clause:
    wanted = parse_filter(text)
    if wanted is None:
        raise InvalidInputError.of("filter", "must be field:operator:value")
    column = _column(collection, wanted.field, "filter")
    build = _OPERATORS.get(wanted.operator)
    if build is None:
        known = ", ".join(_OPERATORS)
        raise InvalidInputError.of("filter", f"has no operator {wanted.operator[:20]!r}; there are {known}")
    return build(column, wanted.operator, wanted.value)


def _column(collection: Collection, name: str, parameter: str) -> Column:
    tidied = tidy(name)
    if tidied in _SYSTEM:
        return _SYSTEM[tidied]
    for field in collection.fields:
        if field.name == tidied:
            return Column(column_name(field.id), field, nullable=not field.required)
    raise InvalidInputError.of(parameter, f"names no field of {collection.name}")


def _value(field: Field, text: str, parameter: str) -> Any:  # noqa: ANN401  a column's value
    try:
        return parse(field, text)
    except UnfitValueError as error:
        raise InvalidInputError.of(parameter, f"{field.name} {error}") from error


def _compare(column: Column, operator: str, text: str) -> Clause:
    if operator in _ORDERED and not column.field.type.kind.ordered:
        raise InvalidInputError.of("filter", f"{column.field.name} has no order; use eq or ne")
    value = _value(column.field, text, "filter")
    return Clause(f"{column.sql} {_COMPARE[operator]} %s", (value,))


def _differs(column: Column, _: str, text: str) -> Clause:
    value = _value(column.field, text, "filter")
    return Clause(f"({column.sql} <> %s OR {column.sql} IS NULL)", (value,))


def _like(column: Column, operator: str, text: str) -> Clause:
    if not column.field.type.kind.searched:
        raise InvalidInputError.of("filter", f"{operator} is for texts, and {column.field.name} is none")
    if not text:
        raise InvalidInputError.of("filter", f"{operator} needs a value")
    return Clause(*like(column.sql, text, anywhere=operator == "contains"))


def _presence(column: Column, operator: str, _: str) -> Clause:
    return Clause(f"{column.sql} IS {'NULL' if operator == 'empty' else 'NOT NULL'}")


def _among(column: Column, _: str, text: str) -> Clause:
    values = [_value(column.field, part, "filter") for part in split_list(text)]
    if len(values) > MAX_LIST:
        raise InvalidInputError.of("filter", f"in takes at most {MAX_LIST} values")
    return Clause(f"{column.sql} IN ({', '.join(['%s'] * len(values))})", tuple(values))


_OPERATORS: Final[dict[str, Callable[[Column, str, str], Clause]]] = {
    **dict.fromkeys(_COMPARE, _compare),
    "ne": _differs,
    "contains": _like,
    "starts": _like,
    "empty": _presence,
    "filled": _presence,
    "in": _among,
}
