"""A number that the workspace gives each record, such as INV-00017; nobody types it."""

from typing import Final

from vivero_data.domain.field_types.kind import Definition, FieldKind, InvalidValueError, Value

_LARGEST: Final = 2**63 - 1
_DIGITS: Final = 19  # of it


class Autonumber(FieldKind):
    """Stored as the number alone: prefix and digits may change, and it sorts as a number."""

    label = "Autonumber"
    sql = "BIGINT"
    figures = False
    computed = True
    takes = frozenset({"prefix", "digits"})

    def problems(self, definition: Definition) -> dict[str, str]:
        # A prefix of digits alone could not be told from the number.
        if definition.options.prefix.strip().isdigit():
            return {"prefix": "must have more than digits"}
        return {}

    def parse(self, value: Value, definition: Definition) -> int:
        """The number of `INV-00017`, and of `17`: for filters and cursors."""
        text = value.strip() if isinstance(value, str) else ""
        prefix = definition.options.prefix
        if prefix and text.casefold().startswith(prefix.casefold()):
            text = text[len(prefix) :]
        number = int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else value
        if isinstance(number, bool) or not isinstance(number, int) or not 0 < number <= _LARGEST:
            raise InvalidValueError(f"must be a number such as {shown(17, definition)}")
        return number

    def present(self, stored: Value, definition: Definition) -> str:
        return shown(stored, definition)


def shown(number: int, definition: Definition) -> str:
    """The number with its prefix, in at least as many digits."""
    return f"{definition.options.prefix}{number:0{definition.options.digits or 1}}"
