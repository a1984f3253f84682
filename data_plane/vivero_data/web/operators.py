"""Conditions as text for people: operators in words, what a tree says, and parsing of typed values; pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from vivero_web.errors import InvalidInputError

from vivero_data.domain.collections.schemas import Collection, Field, present
from vivero_data.domain.field_types.kind import AmbiguousInput
from vivero_data.domain.field_types.money import decimals_of
from vivero_data.domain.field_types.number import plain
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.records.filters import VALUELESS, AllOf, Condition, Not, Tree
from vivero_data.domain.records.query import column_of
from vivero_data.domain.records.schemas import Total
from vivero_data.lib.lists import join_list
from vivero_data.lib.notation import UNSET, Notation
from vivero_data.web.list_state import label_of

OPERATORS: Final = {
    "contains": "contains",
    "eq": "is",
    "ne": "is not",
    "starts": "starts with",
    "gt": "is more than",
    "gte": "is at least",
    "lt": "is less than",
    "lte": "is at most",
    "in": "is one of",
    "any": "has any of",
    "all": "has all of",
    "empty": "is empty",
    "filled": "is filled",
}


TOTALS: Final[Mapping[Total, str]] = {
    Total.COUNT: "filled",
    Total.EMPTY: "empty",
    Total.UNIQUE: "different",
    Total.SUM: "sum",
    Total.AVG: "average",
    Total.MIN: "lowest",
    Total.MAX: "highest",
}


_AVERAGED: Final = 4  # decimals of an average of numbers


def total_shown(value: Any, field: Field, total: Total) -> Any:  # noqa: ANN401  as totals come
    """A total as its column shows a value: an average of money has the decimals of an amount."""
    if total not in {Total.SUM, Total.AVG}:
        return value
    exact = Decimal(value)
    if total is Total.AVG:
        exact = plain(round(exact, decimals_of(field) if field.type is FieldType.MONEY else _AVERAGED))
    return present(field, exact)


def operators_of(field: Field) -> list[tuple[str, str]]:
    """What a field can be asked, in words, the most usual first."""
    known = [*OPERATORS, *(one for one in field.kind.operators if one not in OPERATORS)]
    return [(one, operator_words(field, one)) for one in known if one in field.kind.operators]


def operator_words(field: Field, operator: str) -> str:
    return field.kind.operator_labels.get(operator) or OPERATORS.get(operator, operator)


def describe(collection: Collection, tree: Tree) -> str:
    """What a tree says: `Amount is more than 100`, `any of: …`."""
    if isinstance(tree, Condition):
        column = column_of(collection, tree.field)
        words = operator_words(column.field, tree.operator) if column else tree.operator
        value = "" if tree.operator in VALUELESS else f" {_value(tree.value)}"
        return f"{label_of(collection, tree.field)} {words}{value}"
    if isinstance(tree, Not):
        return f"not: {describe(collection, tree.part)}"
    word, inside = (" and ", tree.all) if isinstance(tree, AllOf) else (" or ", tree.any)
    said = [describe(collection, part) for part in inside]
    return word.join(
        text if isinstance(part, Condition) else f"({text})" for part, text in zip(inside, said, strict=True)
    )


def _value(value: Any) -> str:  # noqa: ANN401  a condition's value
    return ", ".join(map(_value, value)) if isinstance(value, list) else str(value)


def condition_value(field: Field, text: str, notation: Notation = UNSET) -> str:
    """A condition's typed value, as the API has it.

    Raises:
        InvalidInputError: it is ambiguous.
    """
    value = field.kind.read_condition(text, notation)
    if isinstance(value, AmbiguousInput):
        raise InvalidInputError.of("filter", f"{field.name} {value.problem}")
    return join_list(value) if isinstance(value, list) else "" if value is None else str(value)
