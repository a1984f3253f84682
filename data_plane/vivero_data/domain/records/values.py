"""A value of a field: checked and converted on its way in, and made presentable on its way out; pure."""

from typing import Any

from vivero_data.domain.collections.schemas import Field
from vivero_data.domain.field_types.kind import UnfitValueError, Unreadable


def parse(field: Field, value: Any) -> Any:  # noqa: ANN401  any JSON value comes in, a column's value goes out
    """The column's value for a JSON value that is not null.

    Raises:
        UnfitValueError: its message says what the value must be.
    """
    if isinstance(value, Unreadable):
        raise UnfitValueError(value.problem)
    return field.type.kind.parse(value, field.choices)


def present(field: Field, stored: Any) -> Any:  # noqa: ANN401  as above, the other way
    """A column's value as services and JSON have it."""
    return None if stored is None else field.type.kind.present(stored)


def default_of(field: Field) -> Any:  # noqa: ANN401  a field's value
    """The value that a new record gets, as services have it; it was checked when the field was defined."""
    return None if field.default is None else present(field, parse(field, field.default))
