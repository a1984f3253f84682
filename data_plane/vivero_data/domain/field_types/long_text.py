"""Multi-line text."""

from typing import Final

from vivero_data.domain.field_types.kind import EQUALITY, ORDER, SEARCH, Definition, FieldKind, Value
from vivero_data.domain.field_types.text import checked_text
from vivero_data.lib.notation import UNSET, Notation

LENGTH: Final = 16_000
"""Characters; of 4 bytes each they still fit TEXT's 65,535 bytes."""


class LongText(FieldKind):
    """Too long to be sorted by, indexed or unique."""

    label = "Long text"
    sql = "TEXT"
    operators = (*EQUALITY, *ORDER, *SEARCH)
    sortable = False
    unique = False

    def example(self, definition: Definition) -> str:
        return "Several lines:\nthis is the second."

    def parse(self, value: Value, definition: Definition) -> str:
        return checked_text(value, LENGTH, lines=True)

    def read(self, text: str, notation: Notation = UNSET) -> str:
        return lines(text)

    def canonical(self, text: str) -> str:
        return lines(text)


def lines(text: str) -> str:
    """The text with LF line endings; forms send CRLF."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
