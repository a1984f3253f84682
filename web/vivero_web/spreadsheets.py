"""Texts as a spreadsheet may read them: none is run as a formula (CSV injection)."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Final

CSV_TYPE: Final = "text/csv"
BYTE_ORDER_MARK: Final = "\ufeff"
"""Without it spreadsheets take UTF-8 for the system's old encoding."""
_FORMULA: Final = re.compile(r"[\s']*[=+\-@\uff1d\uff0b\uff0d\uff20]|'*[\t\r\n]")


def neutral(text: str) -> str:
    """A text as an export writes it: with an apostrophe before what a spreadsheet would take for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def original(cell: str) -> str:
    """The text that `neutral` made a cell of."""
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell


def written(rows: Iterable[Sequence[str]]) -> bytes:
    """Lines of a CSV file (RFC 4180, UTF-8) with the cells as they are."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def lines(rows: Iterable[Sequence[str]]) -> bytes:
    """The same with neutral cells."""
    return written([neutral(cell) for cell in row] for row in rows)
