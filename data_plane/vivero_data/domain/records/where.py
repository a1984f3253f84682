"""Compiles a tree of conditions to parametrized SQL; pure, and the only module that does.

Column names come from field ids and four fixed names, operators from the table
below; all user input becomes a parameter.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from vivero_web.errors import InvalidInputError
from vivero_web.text import tidy

from vivero_data.domain.collections.columns import column_name
from vivero_data.domain.collections.schemas import Collection, Field, parse
from vivero_data.domain.field_types.kind import InvalidValueError, Operator
from vivero_data.domain.records.filters import (
    MAX_FILTERS,
    VALUELESS,
    AllOf,
    Condition,
    Not,
    Tree,
    parse_filter,
    parse_where,
)
from vivero_data.domain.records.query import Clause, Column, column_of
from vivero_data.lib.like import like

MAX_LIST: Final = 100  # values of one `in`
MAX_SEARCH: Final = 200  # characters
MAX_WORDS: Final = 8  # of a search; each is looked for in every field with text

_COMPARE: Final = {"eq": "=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}


class _InvalidConditionError(ValueError):
    """A condition that is not valid for its field; `part` is the invalid part."""

    def __init__(self, part: str, message: str) -> None:
        super().__init__(message)
        self.part = part


def parse_filters(collection: Collection, texts: Iterable[str], where: str = "") -> list[Clause]:
    """The conditions of a query: its `filter`s, and the tree of its `where` if it has one.

    Raises:
        InvalidInputError: one is malformed, or not valid for its field.
    """
    conditions = [_condition(text) for text in texts]
    if len(conditions) > MAX_FILTERS:
        raise InvalidInputError.of("filter", f"may be given at most {MAX_FILTERS} times")
    try:
        found = [_compared(collection, one) for one in conditions]
    except _InvalidConditionError as error:
        raise InvalidInputError.of("filter", str(error)) from error
    return [*found, compiled(collection, parse_where(where))] if where else found


def searched(collection: Collection, text: str, place: str = "search") -> Clause | None:
    """Every word of a search is somewhere in the record's texts, in any case; None without a word.

    Raises:
        InvalidInputError: it has too many words, or no field could contain one.
    """
    if len(text) > MAX_SEARCH:
        raise InvalidInputError.of(place, f"must have at most {MAX_SEARCH} characters")
    words = list(dict.fromkeys(tidy(text).split()))
    if not words:
        return None
    if len(words) > MAX_WORDS:
        raise InvalidInputError.of(place, f"must have at most {MAX_WORDS} words")
    columns = [field.kind.text_sql(column_name(field)) for field in searched_fields(collection)]
    if not columns:
        raise InvalidInputError.of(place, f"finds nothing: {collection.name} has no field with text")
    found = [[like(column, word, anywhere=True) for column in columns] for word in words]
    sql = " AND ".join(f"({' OR '.join(one for one, _ in places)})" for places in found)
    return Clause(f"({sql})", tuple(param for places in found for _, params in places for param in params))


def searched_fields(collection: Collection) -> list[Field]:
    """The fields that a search looks into: all that can be asked whether they contain a text."""
    return [field for field in collection.fields if Operator.CONTAINS in field.kind.operators]


def compiled(collection: Collection, tree: Tree, place: str = "where") -> Clause:
    """A tree as one SQL condition.

    Raises:
        InvalidInputError: naming the invalid place in the tree.
    """
    if isinstance(tree, Condition):
        try:
            return _compared(collection, tree)
        except _InvalidConditionError as error:
            raise InvalidInputError.of(f"{place}.{error.part}", str(error)) from error
    if isinstance(tree, Not):
        part = compiled(collection, tree.part, f"{place}.not")
        # A condition that is NULL because a field is empty does not hold, so its negation does.
        return Clause(f"(({part.sql}) IS NOT TRUE)", part.params)
    name, word, inside = ("all", "AND", tree.all) if isinstance(tree, AllOf) else ("any", "OR", tree.any)
    parts = [compiled(collection, one, f"{place}.{name}[{index}]") for index, one in enumerate(inside)]
    sql = f" {word} ".join(part.sql for part in parts)
    return Clause(f"({sql})", tuple(param for part in parts for param in part.params))


def _condition(text: str) -> Condition:
    wanted = parse_filter(text)
    if wanted is None:
        raise InvalidInputError.of("filter", "must be field:operator:value")
    return wanted.condition


def _compared(collection: Collection, wanted: Condition) -> Clause:
    column = column_of(collection, wanted.field)
    if column is None:
        raise _InvalidConditionError("field", f"names no field of {collection.name}")
    field, build = column.field, _OPERATORS.get(wanted.operator)
    if build is None or wanted.operator not in field.kind.operators:
        known = ", ".join(field.kind.operators)
        said = f"has no operator {wanted.operator[:20]!r} for {field.name}, a {field.kind.label.lower()}"
        raise _InvalidConditionError("operator", f"{said}; there are {known}")
    if wanted.operator in VALUELESS and wanted.value is not None:
        raise _InvalidConditionError("value", f"is not for {wanted.operator}")
    return build(column, wanted)


def _value(column: Column, said: Any) -> Any:  # noqa: ANN401  any JSON value comes in, a column's value goes out
    try:
        return parse(column.field, said)
    except InvalidValueError as error:
        raise _InvalidConditionError("value", f"{column.field.name} {error}") from error


def _compare(column: Column, wanted: Condition) -> Clause:
    return Clause(f"{column.sql} {_COMPARE[wanted.operator]} %s", (_value(column, wanted.value),))


def _differs(column: Column, wanted: Condition) -> Clause:
    return Clause(f"({column.sql} <> %s OR {column.sql} IS NULL)", (_value(column, wanted.value),))


def _like(column: Column, wanted: Condition) -> Clause:
    if not isinstance(wanted.value, str) or not wanted.value:
        raise _InvalidConditionError("value", f"{wanted.operator} needs a text")
    text = column.field.kind.text_sql(column.sql)
    return Clause(*like(text, wanted.value, anywhere=wanted.operator == Operator.CONTAINS))


def _presence(column: Column, wanted: Condition) -> Clause:
    return Clause(f"{column.sql} IS {'NULL' if wanted.operator == Operator.EMPTY else 'NOT NULL'}")


def _among(column: Column, wanted: Condition) -> Clause:
    if not isinstance(wanted.value, list) or not 1 <= len(wanted.value) <= MAX_LIST:
        raise _InvalidConditionError("value", f"in takes 1 to {MAX_LIST} values")
    values = tuple(_value(column, one) for one in wanted.value)
    return Clause(f"{column.sql} IN ({', '.join(['%s'] * len(values))})", values)


def _overlap(column: Column, wanted: Condition) -> Clause:
    finds = "JSON_OVERLAPS" if wanted.operator == Operator.ANY else "JSON_CONTAINS"
    return Clause(f"{finds}({column.sql}, %s)", (_value(column, wanted.value),))


_OPERATORS: Final[Mapping[str, Callable[[Column, Condition], Clause]]] = {
    **dict.fromkeys(_COMPARE, _compare),
    "ne": _differs,
    "contains": _like,
    "starts": _like,
    "empty": _presence,
    "filled": _presence,
    "in": _among,
    "any": _overlap,
    "all": _overlap,
}
