"""A line of text, and the rules of every other type that is one."""

import re
from collections.abc import Sequence
from typing import ClassVar, Final

from vivero_data.domain.field_types.kind import FieldKind, UnfitValueError, Value

# Nothing prints them, and they make one text look like another.
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class Text(FieldKind):
    """What was typed, to the letter."""

    words = "Text"
    characters: ClassVar[int] = 255
    sql = f"VARCHAR({characters})"
    searched = True
    leads = True
    exact = False

    def parse(self, value: Value, choices: Sequence[str]) -> str:  # noqa: ARG002  the signature of every type
        return checked_text(value, self.characters)

    def read(self, text: str) -> str:
        return text


def checked_text(value: Value, longest: int, *, lines: bool = False) -> str:
    """The value, if it is a text of at most so many characters.

    Raises:
        UnfitValueError: it is none, is longer, or holds what nobody sees.
    """
    if not isinstance(value, str):
        raise UnfitValueError("must be a text")
    if len(value) > longest:
        raise UnfitValueError(f"must have at most {longest:,} characters")
    if _CONTROL.search(value) or (not lines and ("\n" in value or "\r" in value)):
        raise UnfitValueError("must not have control characters" + ("" if lines else " or line breaks"))
    return value
