"""Records as CSV and as JSON, a page at a time; pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from vivero_web.spreadsheets import BYTE_ORDER_MARK, neutral, written

from vivero_data.lib.json import encode_bytes
from vivero_data.lib.lists import join_list

Line = Sequence[Any]


def csv_lines(lines: Sequence[Line]) -> bytes:
    """Lines of CSV (RFC 4180): values as the API has them, texts so that no spreadsheet takes one for a formula."""
    return written([cell(value) for value in line] for line in lines)


def cell(value: Any) -> str:  # noqa: ANN401  a field's value
    """A value as text, which an import takes back."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, list | tuple):
        return neutral(join_list(cell(item) for item in value))
    return neutral(value) if isinstance(value, str) else str(value)


class CsvWriter:
    """Writes CSV."""

    media_type = "text/csv; charset=utf-8"

    def begin(self, names: Sequence[str]) -> bytes:
        return BYTE_ORDER_MARK.encode() + csv_lines([names])

    def page(self, lines: Sequence[Line]) -> bytes:
        return csv_lines(lines)

    def end(self) -> bytes:
        return b""

    def close(self) -> None:
        """It holds nothing."""


class JsonArray:
    """Writes an array, an item a line."""

    def __init__(self) -> None:
        self._between = b"[\n"

    def add(self, items: Iterable[Any]) -> bytes:
        text = b",\n".join(map(encode_bytes, items))
        if text:
            text, self._between = self._between + text, b",\n"
        return text

    def end(self) -> bytes:
        return b"[]\n" if self._between == b"[\n" else b"\n]\n"


class JsonWriter:
    """Writes an array of objects, one a line."""

    media_type = "application/json"

    def __init__(self) -> None:
        self._names: Sequence[str] = ()
        self._array = JsonArray()

    def begin(self, names: Sequence[str]) -> bytes:
        self._names = names
        return b""

    def page(self, lines: Sequence[Line]) -> bytes:
        return self._array.add(dict(zip(self._names, line, strict=True)) for line in lines)

    def end(self) -> bytes:
        return self._array.end()

    def close(self) -> None:
        """It holds nothing."""
