"""A date and time, in UTC."""

import re
from datetime import UTC, datetime
from typing import Final

from vivero_data.domain.field_types.date import TIME_LABELS, check_year
from vivero_data.domain.field_types.kind import AmbiguousInput, Definition, FieldKind, InvalidValueError, Value
from vivero_data.lib.notation import UNSET, Notation, NotationError, typed_moment

_PROBLEM: Final = "must be a date and time with its UTC offset, such as 2026-12-31T12:00:00Z"
# As browsers send it, without a zone.
_LOCAL: Final = re.compile(r"^[0-9-]{10}T[0-9]{2}:[0-9]{2}(:[0-9.]+)?$")


class Moment(FieldKind):
    """With microseconds. Accepted with any UTC offset and stored in UTC."""

    label = "Date and time"
    sql = "DATETIME(6)"
    dated = True
    zoned = True
    operator_labels = TIME_LABELS

    def example(self, definition: Definition) -> str:
        return "2026-11-30T14:30:00Z"

    def parse(self, value: Value, definition: Definition) -> datetime:
        try:
            parsed = datetime.fromisoformat(value)
            # Without an offset it would be taken as this machine's local time.
            moment = parsed.astimezone(UTC) if parsed.tzinfo else None
        except (TypeError, ValueError, OverflowError):
            raise InvalidValueError(_PROBLEM) from None
        if moment is None:
            raise InvalidValueError(_PROBLEM)
        check_year(moment.year)
        return moment.replace(tzinfo=None)

    def present(self, stored: datetime, definition: Definition) -> datetime:
        return stored.replace(tzinfo=UTC)

    def from_cursor(self, text: str) -> str:
        return f"{text}+00:00"

    def read(self, text: str, notation: Notation = UNSET) -> str | AmbiguousInput:
        try:
            return typed_moment(text, notation).isoformat().replace("+00:00", "Z")
        except NotationError as error:
            return AmbiguousInput(str(error))

    def canonical(self, text: str) -> str:
        # Browsers differ in whether they send seconds and trailing zeros.
        try:
            return datetime.fromisoformat(text).isoformat() if _LOCAL.match(text) else text
        except ValueError:
            return text
