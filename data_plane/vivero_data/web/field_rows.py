"""The rows of the "new collection" form: parsed, added and removed on the server, without JavaScript."""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from vivero_data.web.field_options import INPUTS

MAX_ROWS: Final = 50  # the service has the same limit
FIRST_ROWS: Final = 3  # shows that more than one is possible
_ROW_NAME: Final = re.compile(rf"^field-(\d{{1,3}})-(name|type|required|unique|choices|{'|'.join(INPUTS)})$")


class FieldRow(msgspec.Struct, frozen=True):
    """One line of the form, exactly as typed; `unique` is `exact`, `alike` (ignoring case and accents) or empty for neither.

    Attributes:
        options: the inputs of `field_options.py` that were sent.
    """

    name: str = ""
    type: str = "text"
    required: bool = False
    unique: str = ""
    choices: str = ""
    options: Mapping[str, str] = msgspec.field(default_factory=lambda: {"coloured": "on"})

    @property
    def blank(self) -> bool:
        return not self.name.strip()

    @property
    def choice_list(self) -> list[str]:
        """The choices, one a line or separated by commas; order kept, repeats dropped."""
        parts = (part.strip() for part in re.split(r"[\n,]", self.choices))
        return list(dict.fromkeys(part for part in parts if part))


def first_rows() -> list[FieldRow]:
    return [FieldRow() for _ in range(FIRST_ROWS)]


def parse_rows(form: Mapping[str, str]) -> list[FieldRow]:
    """The rows in the order of their numbers; gaps are closed, unknown inputs ignored, at most MAX_ROWS."""
    found: dict[int, dict[str, str]] = {}
    for key, value in form.items():
        match = _ROW_NAME.match(key)
        if match:
            found.setdefault(int(match[1]), {})[match[2]] = value
    rows = [
        FieldRow(
            name=parts.get("name", ""),
            type=parts.get("type", "text"),
            required="required" in parts,
            unique=parts.get("unique", ""),
            choices=parts.get("choices", ""),
            options={name: parts[name] for name in INPUTS if name in parts},
        )
        for _, parts in sorted(found.items())
    ]
    return rows[:MAX_ROWS]


def apply_action(rows: list[FieldRow], action: str) -> list[FieldRow] | None:
    """The rows after an "add" or "remove-<n>" button; None for other buttons."""
    if action == "add":
        return [*rows, FieldRow()] if len(rows) < MAX_ROWS else rows
    number = action.removeprefix("remove-")
    if number != action and number.isascii() and number.isdigit():
        kept = [row for index, row in enumerate(rows) if index != int(number)]
        return kept or [FieldRow()]
    return None
