"""A line of text, and what every other type has that is one."""

import re
from collections.abc import Sequence
from typing import ClassVar, Final

from vivero_data.domain.field_types.kind import EQUALITY, ORDER, SEARCH, FieldKind, InvalidValueError, Value

# Nothing prints them, and they make one text look like another.
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class Line(FieldKind):
    """What every type has that is a text of one line, of so many characters at most."""

    characters: ClassVar[int]
    operators = (*EQUALITY, *ORDER, *SEARCH)
    exact = False

    @property
    def sql(self) -> str:
        return f"VARCHAR({self.characters})"

    def parse(self, value: Value, choices: Sequence[str]) -> str:
        return checked_text(value, self.characters)


class Text(Line):
    """What was typed, to the letter."""

    label = "Text"
    characters = 255
    leads = True

    def read(self, text: str) -> str:
        return text


def checked_text(value: Value, longest: int, *, lines: bool = False) -> str:
    """The value, if it is a text of at most so many characters.

    Raises:
        UnfitValueError: it is none, is longer, or holds what nobody sees.
    """
    if not isinstance(value, str):
        raise InvalidValueError("must be a text")
    if len(value) > longest:
        raise InvalidValueError(f"must have at most {longest:,} characters")
    if _CONTROL.search(value) or (not lines and ("\n" in value or "\r" in value)):
        raise InvalidValueError("must not have control characters" + ("" if lines else " or line breaks"))
    return value
