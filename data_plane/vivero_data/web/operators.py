"""A filter's operators in words."""

from typing import Final

from vivero_data.domain.collections.schemas import Collection, Field, FieldType
from vivero_data.domain.records.filters import Filter

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
