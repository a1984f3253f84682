"""Several of the values that the definition lists."""

import msgspec
from vivero_web.text import tidy

from vivero_data.domain.field_types.kind import EQUALITY, Definition, FieldKind, InvalidValueError, Operator, Value
from vivero_data.lib.json import encode
from vivero_data.lib.lists import join_list, split_list
from vivero_data.lib.notation import UNSET, Notation


class Choices(FieldKind):
    """Stored as a JSON array in the order of the definition, each once, so that the same choices are the same text."""

    label = "Several choices"
    sql = "TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
    operators = (Operator.ANY, Operator.ALL, *EQUALITY)
    sortable = False
    unique = False
    has_choices = True
    several = True
    takes = frozenset({"colours"})

    def example(self, definition: Definition) -> list[str]:
        return list(definition.choices[:2])

    def parse(self, value: Value, definition: Definition) -> str:
        given = self.read(value) if isinstance(value, str) else value
        if not isinstance(given, list) or not given or not all(isinstance(one, str) for one in given):
            raise InvalidValueError("must be a list of choices")
        wanted = {tidy(one) for one in given}
        if not wanted <= set(definition.choices):
            raise InvalidValueError(f"must be some of: {', '.join(definition.choices)}")
        return encode([choice for choice in definition.choices if choice in wanted])

    def present(self, stored: Value, definition: Definition) -> list[str]:
        return msgspec.json.decode(stored, type=list[str])

    def read(self, text: str, notation: Notation = UNSET) -> list[str]:
        return [part for part in (one.strip() for one in split_list(text)) if part]

    def canonical(self, text: str) -> str:
        return join_list(sorted(self.read(text)))
