"""An e-mail address."""

import re
from typing import Final

from vivero_data.domain.field_types.kind import Definition, InvalidValueError, Value
from vivero_data.domain.field_types.text import Line

ADDRESS: Final = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]+\.[^@\s\x00-\x1f\x7f]+")


class Email(Line):
    """In any script; deliverability is not checked."""

    label = "E-mail address"
    characters = 254
    leads = True
    exact = True  # addresses that differ in case may be different

    def example(self, definition: Definition) -> str:
        return "ada@example.com"

    def parse(self, value: Value, definition: Definition) -> str:
        text = super().parse(value, definition)
        if not ADDRESS.fullmatch(text):
            raise InvalidValueError("must be an e-mail address such as name@example.com")
        return text

    def exact_sql(self, column: str) -> str:
        # The part before the @ may be case-sensitive, the domain is not.
        return f"CONCAT(SUBSTRING_INDEX({column}, '@', 1), LOWER(SUBSTRING({column}, LOCATE('@', {column}))))"
