"""One of the values that the definition lists."""

from collections.abc import Sequence
from typing import ClassVar

from vivero_web.text import tidy

from vivero_data.domain.field_types.kind import FieldKind, UnfitValueError, Value


class Choice(FieldKind):
    """Kept as the definition writes it."""

    words = "Choice"
    characters: ClassVar[int] = 100
    sql = f"VARCHAR({characters})"
    searched = True
    exact = False
    has_choices = True

    def parse(self, value: Value, choices: Sequence[str]) -> str:
        choice = tidy(value) if isinstance(value, str) else value
        if choice not in choices:
            raise UnfitValueError(f"must be one of: {', '.join(choices)}")
        return str(choice)
