"""Reads a whole file once, to know what it holds. Blocks; runs in the child process."""

from collections.abc import Callable
from typing import Final

from vivero_data.domain.imports.guess import ColumnGuess, decided
from vivero_data.domain.imports.schemas import Reading
from vivero_data.domain.imports.source import kind_of
from vivero_data.domain.imports.tables import Table, format_of
from vivero_data.domain.imports.text_files import Open, problem

_FIRST: Final = 8  # rows of a preview
_SHOWN: Final = 200  # characters of a cell of it


def read_whole(open_file: Open, name: str, progress: Callable[[int], None]) -> Reading:
    """What the file holds, after reading all of it.

    Raises:
        InvalidInputError: it cannot be read.
    """
    form = format_of(open_file, kind_of(open_file, name))
    table = Table(open_file, form)
    columns = [ColumnGuess(one) for one in table.names]
    rows, first = 0, list[tuple[str, ...]]()
    for batch in table.batches():
        rows += len(batch)
        width = len(columns)
        wide = [[*cells, *[""] * (width - len(cells))] for _, cells in batch]
        first += [tuple(cell[:_SHOWN] for cell in cells[:width]) for cells in wide[: _FIRST - len(first)]]
        for column, cells in zip(columns, zip(*wide, strict=False), strict=False):
            column.add(cells)
        progress(rows)
    if not rows:
        raise problem("has names of columns and no row below them")
    return Reading(form.kind, form.encoding, form.delimiter, rows, tuple(decided(columns)), tuple(first))
