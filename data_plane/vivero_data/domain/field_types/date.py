"""A calendar date."""

from datetime import date
from typing import Final

from vivero_data.domain.field_types.kind import AmbiguousInput, Definition, FieldKind, InvalidValueError, Value
from vivero_data.lib.notation import UNSET, Notation, NotationError, typed_date

TIME_LABELS: Final = {"gt": "is after", "gte": "is from", "lt": "is before", "lte": "is until"}
_FIRST_YEAR: Final = 1000  # the range of MariaDB's DATE and DATETIME begins there


class Date(FieldKind):
    """Without a time or a zone."""

    label = "Date"
    sql = "DATE"
    dated = True
    operator_labels = TIME_LABELS

    def example(self, definition: Definition) -> str:
        return "2026-11-30"

    def parse(self, value: Value, definition: Definition) -> date:
        try:
            parsed = date.fromisoformat(value)
        except (TypeError, ValueError):
            raise InvalidValueError("must be a date such as 2026-12-31") from None
        check_year(parsed.year)
        return parsed

    def read(self, text: str, notation: Notation = UNSET) -> str | AmbiguousInput:
        try:
            return typed_date(text, notation.dates).isoformat()
        except NotationError as error:
            return AmbiguousInput(str(error))


def check_year(year: int) -> None:
    """Raises UnfitValueError for one that the database does not keep."""
    if year < _FIRST_YEAR:
        raise InvalidValueError(f"must not be before the year {_FIRST_YEAR}")
