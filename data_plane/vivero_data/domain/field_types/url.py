"""A web address."""

from collections.abc import Sequence
from typing import ClassVar
from urllib.parse import urlsplit

from vivero_data.domain.field_types.kind import FieldKind, UnfitValueError, Value
from vivero_data.domain.field_types.text import checked_text


class Url(FieldKind):
    """Of HTTP or HTTPS: pages make a link of it."""

    words = "Web address"
    characters: ClassVar[int] = 500
    sql = f"VARCHAR({characters})"
    searched = True
    leads = True
    exact = True  # two that differ in a letter's case lead to two places

    def parse(self, value: Value, choices: Sequence[str]) -> str:  # noqa: ARG002  the signature of every type
        text = checked_text(value, self.characters)
        try:
            parts = urlsplit(text)
            good = parts.scheme in {"http", "https"} and bool(parts.hostname) and not any(map(str.isspace, text))
        except ValueError:
            good = False
        if not good:
            raise UnfitValueError("must be a web address that begins with http:// or https://")
        return text
