"""A file as a table, whatever its kind: a row of names, and rows of cells with their numbers as a spreadsheet has them."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

import msgspec

from vivero_data.domain.imports.json_files import json_rows
from vivero_data.domain.imports.plan import header
from vivero_data.domain.imports.schemas import MAX_COLUMNS
from vivero_data.domain.imports.text_files import Open, csv_rows, delimiter_of, encoding_of, problem
from vivero_data.domain.imports.xlsx_files import xlsx_rows

BATCH: Final = 1000  # rows of a transaction
_BATCH_CHARACTERS: Final = 1_000_000  # far below what a statement may have, 16 MiB
MAX_ROWS: Final = 5_000_000

Numbered = tuple[int, list[str]]


class Format(msgspec.Struct, frozen=True):
    """How a file is read."""

    kind: str
    encoding: str = ""
    delimiter: str = ""


def format_of(open_file: Open, kind: str) -> Format:
    """The format, after reading all of a text file.

    Raises:
        InvalidInputError: it cannot be read.
    """
    if kind != "csv":
        return Format(kind)
    encoding = encoding_of(open_file)
    return Format(kind, encoding, delimiter_of(open_file, encoding))


class Table:
    """The names of a file's columns, and its rows, read once from the beginning."""

    def __init__(self, open_file: Open, form: Format) -> None:
        self._rows = _filled(_rows(open_file, form))
        first = next(self._rows, None)
        if first is None:
            raise problem("has no row")
        if len(first[1]) > MAX_COLUMNS:
            raise problem(f"has {len(first[1]):,} columns; at most {MAX_COLUMNS} can be read")
        self.names = header(_trimmed(first[1]))

    def batches(self, after: int = 0) -> Iterator[list[Numbered]]:
        """The rows behind row `after`, as many at once as one transaction writes."""
        rows = (row for row in self._rows if row[0] > after)
        while batch := _batch(rows):
            if batch[-1][0] > MAX_ROWS:
                raise problem(f"has more than {MAX_ROWS:,} rows: divide it")
            yield batch


def _rows(open_file: Open, form: Format) -> Iterator[list[str]]:
    if form.kind == "xlsx":
        return xlsx_rows(open_file)
    if form.kind == "json":
        return json_rows(open_file)
    return csv_rows(open_file, form.encoding, form.delimiter)


def _filled(rows: Iterator[list[str]]) -> Iterator[Numbered]:
    """The rows that have a value, numbered from 1 with those that have none."""
    return ((number, row) for number, row in enumerate(rows, 1) if any(row))


def _trimmed(cells: list[str]) -> list[str]:
    """Without the empty cells at the end: spreadsheets write some for columns that were emptied."""
    end = len(cells)
    while end > 1 and not cells[end - 1].strip():
        end -= 1
    return cells[:end]


def _batch(rows: Iterator[Numbered]) -> list[Numbered]:
    batch: list[Numbered] = []
    characters = 0
    for row in islice(rows, BATCH):
        batch.append(row)
        characters += sum(map(len, row[1]))
        if characters > _BATCH_CHARACTERS:
            break
    return batch
