"""A web address."""

from urllib.parse import urlsplit

from vivero_data.domain.field_types.kind import Definition, InvalidValueError, Value
from vivero_data.domain.field_types.text import Line


class Url(Line):
    """HTTP or HTTPS only, because pages render it as a link."""

    label = "Web address"
    characters = 500
    leads = True
    exact = True  # addresses that differ in case may be different

    def example(self, definition: Definition) -> str:
        return "https://example.com/"

    def parse(self, value: Value, definition: Definition) -> str:
        text = super().parse(value, definition)
        try:
            parts = urlsplit(text)
            good = parts.scheme in {"http", "https"} and bool(parts.hostname) and not any(map(str.isspace, text))
        except ValueError:
            good = False
        if not good:
            raise InvalidValueError("must be a web address that begins with http:// or https://")
        return text
