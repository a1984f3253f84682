"""One of the values that the definition lists."""

from collections.abc import Sequence

from vivero_web.text import tidy

from vivero_data.domain.field_types.kind import Definition, InvalidValueError, Value
from vivero_data.domain.field_types.text import Line


class Choice(Line):
    """Stored exactly as the definition spells it."""

    label = "Choice"
    characters = 100
    has_choices = True
    board = True
    takes = frozenset({"colours"})

    def example(self, definition: Definition) -> str:
        return definition.choices[0]

    def parse(self, value: Value, definition: Definition) -> str:
        choice = tidy(value) if isinstance(value, str) else value
        if choice not in definition.choices:
            raise InvalidValueError(f"must be one of: {', '.join(definition.choices)}")
        return str(choice)

    def listed(self, definition: Definition) -> Sequence[str]:
        return definition.choices
