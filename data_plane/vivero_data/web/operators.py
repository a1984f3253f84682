"""Filters as text for people: operator labels, and parsing of typed values."""

from typing import Final

from vivero_web.errors import InvalidInputError

from vivero_data.domain.collections.schemas import Collection, Field
from vivero_data.domain.field_types.kind import AmbiguousInput
from vivero_data.domain.records.filters import LISTED, Filter
from vivero_data.lib.lists import join_list, split_list
from vivero_data.lib.notation import UNSET, Notation

OPERATORS: Final = (
    ("contains", "contains"),
    ("eq", "is"),
    ("ne", "is not"),
    ("starts", "starts with"),
    ("gt", "is more than"),
    ("gte", "is at least"),
    ("lt", "is less than"),
    ("lte", "is at most"),
    ("empty", "is empty"),
    ("filled", "is filled"),
    ("in", "is one of"),
    ("any", "has any of"),
    ("all", "has all of"),
)
_WITHOUT_VALUE: Final = frozenset({"empty", "filled"})


def lead_field(collection: Collection) -> Field | None:
    """The field that the search box searches: the first short text."""
    return next((field for field in collection.fields if field.type.kind.leads), None)


def describe_filter(collection: Collection, item: Filter) -> str:
    """`amount:gt:100` → `amount is more than 100`."""
    field = next((one for one in collection.fields if one.name == item.field), None)
    words = {**dict(OPERATORS), **(field.type.kind.order_labels if field else {})}
    operator = words.get(item.operator, item.operator)
    return f"{item.field} {operator}" + ("" if item.operator in _WITHOUT_VALUE else f" {item.value}")


def filter_value(field: Field, operator: str, text: str, notation: Notation = UNSET) -> str:
    """A condition's typed value, converted to the API's notation.

    Raises:
        InvalidInputError: the number is ambiguous.
    """
    if operator in LISTED:
        return join_list(_filter_text(field, part.strip(), notation) for part in split_list(text))
    return _filter_text(field, text, notation)


def _filter_text(field: Field, text: str, notation: Notation) -> str:
    value = field.type.kind.read_condition(text, notation)
    if isinstance(value, AmbiguousInput):
        raise InvalidInputError.of("filter", f"{field.name} {value.problem}")
    return join_list(value) if isinstance(value, list) else "" if value is None else str(value)
