"""A filter in words: its operators, and the value that a person types."""

from typing import Final

from vivero_web.errors import InvalidInputError

from vivero_data.domain.collections.schemas import Collection, Field, FieldType
from vivero_data.domain.records.filters import Filter, join_list, split_list
from vivero_data.domain.records.values import Unreadable
from vivero_data.web.inputs import typed_value

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
)
_TIME_WORDS: Final = {"gt": "is after", "gte": "is from", "lt": "is before", "lte": "is until"}
_YES_OR_NO: Final = {"yes": "true", "no": "false"}  # as tables show them
_WITHOUT_VALUE: Final = frozenset({"empty", "filled"})
_TEXTS: Final = frozenset({FieldType.TEXT, FieldType.EMAIL, FieldType.URL})


def lead_field(collection: Collection) -> Field | None:
    """The field that the search box searches: the first short text."""
    return next((field for field in collection.fields if field.type in _TEXTS), None)


def filter_words(collection: Collection, item: Filter) -> str:
    """`amount:gt:100` → `amount is more than 100`."""
    field = next((one for one in collection.fields if one.name == item.field), None)
    timed = field is not None and field.type in {FieldType.DATE, FieldType.DATETIME}
    operator = (_TIME_WORDS if timed else {}).get(item.operator) or dict(OPERATORS).get(item.operator, item.operator)
    return f"{item.field} {operator}" + ("" if item.operator in _WITHOUT_VALUE else f" {item.value}")


def filter_value(field: Field, operator: str, text: str) -> str:
    """What a person typed as a condition's value, as the API takes it.

    Raises:
        InvalidInputError: it may mean two numbers.
    """
    if operator == "in":
        return join_list(_filter_text(field, part.strip()) for part in split_list(text))
    return _filter_text(field, text)


def _filter_text(field: Field, text: str) -> str:
    if field.type is FieldType.BOOLEAN:
        return _YES_OR_NO.get(text.strip().casefold(), text)
    value = typed_value(field, text)
    if isinstance(value, Unreadable):
        raise InvalidInputError.of("filter", f"{field.name} {value.problem}")
    return "" if value is None else str(value)
