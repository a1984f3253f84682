"""Yes or no."""

from typing import Final

from vivero_data.domain.field_types.kind import EQUALITY, Definition, FieldKind, InvalidValueError, Value
from vivero_data.lib.notation import UNSET, Notation

_IN_TABLES: Final = {"yes": "true", "no": "false"}


class Boolean(FieldKind):
    """Null where the field is not required."""

    label = "Yes or no"
    sql = "BOOLEAN"
    operators = EQUALITY
    unique = False
    two_valued = True
    board = True

    def example(self, definition: Definition) -> bool:
        return True

    def parse(self, value: Value, definition: Definition) -> bool:
        if isinstance(value, bool):
            return value
        if value in ("true", "false"):
            return bool(value == "true")
        raise InvalidValueError("must be true or false")

    def present(self, stored: Value, definition: Definition) -> bool:
        return bool(stored)

    def listed(self, definition: Definition) -> tuple[bool, bool]:
        return True, False

    def from_cursor(self, text: str) -> str:
        return {"0": "false", "1": "true"}.get(text, text)

    def typed(self, text: str, notation: Notation = UNSET, *, required: bool) -> bool | None:
        # A box that is not ticked is not sent.
        return text == "true" if required or text else None

    def read_condition(self, text: str, notation: Notation = UNSET) -> str:
        return _IN_TABLES.get(text.strip().casefold(), text)
