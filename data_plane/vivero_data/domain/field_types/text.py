"""Single-line text, and the base of all types stored as such."""

import re
from typing import ClassVar, Final

from vivero_data.domain.field_types.kind import EQUALITY, ORDER, SEARCH, Definition, FieldKind, InvalidValueError, Value
from vivero_data.lib.notation import UNSET, Notation

# Invisible characters that make different texts look alike.
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class Line(FieldKind):
    """Base of types stored as single-line text with a maximum length."""

    characters: ClassVar[int]
    operators = (*EQUALITY, *ORDER, *SEARCH)
    exact: ClassVar[bool | None] = False

    @property
    def sql(self) -> str:
        return f"VARCHAR({self.characters})"

    def parse(self, value: Value, definition: Definition) -> str:
        return checked_text(value, self.characters)


class Text(Line):
    """Stored exactly as typed."""

    label = "Text"
    characters = 255
    leads = True

    def example(self, definition: Definition) -> str:
        return "A short text"

    def read(self, text: str, notation: Notation = UNSET) -> str:
        return text


def checked_text(value: Value, longest: int, *, lines: bool = False) -> str:
    """The value, validated as text of at most `longest` characters.

    Raises:
        InvalidValueError: not text, too long, or with invisible characters.
    """
    if not isinstance(value, str):
        raise InvalidValueError("must be a text")
    if len(value) > longest:
        raise InvalidValueError(f"must have at most {longest:,} characters")
    if _CONTROL.search(value) or (not lines and ("\n" in value or "\r" in value)):
        raise InvalidValueError("must not have control characters" + ("" if lines else " or line breaks"))
    return value
