"""One of the values that the definition lists."""

from collections.abc import Sequence

from vivero_web.text import tidy

from vivero_data.domain.field_types.kind import InvalidValueError, Value
from vivero_data.domain.field_types.text import Line


class Choice(Line):
    """Stored exactly as the definition spells it."""

    label = "Choice"
    characters = 100
    has_choices = True

    def parse(self, value: Value, choices: Sequence[str]) -> str:
        choice = tidy(value) if isinstance(value, str) else value
        if choice not in choices:
            raise InvalidValueError(f"must be one of: {', '.join(choices)}")
        return str(choice)
