"""Rows of cells as rows of column values, a column at a time; pure."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from vivero_data.domain.collections.schemas import Collection, Field, parse
from vivero_data.domain.field_types.kind import AmbiguousInput, InvalidValueError
from vivero_data.domain.imports.cells import original, reader
from vivero_data.domain.imports.plan import ID
from vivero_data.domain.imports.schemas import ColumnPlan

_REMEMBERED: Final = 20_000  # values of a column: most columns repeat theirs
_NO_ID: Final = -1
_ID_DIGITS: Final = 19
_SHORT: Final = 64  # characters of one that is remembered


class Failure(msgspec.Struct, frozen=True, array_like=True):
    """Why a row was refused."""

    row: int
    field: str
    reason: str
    cells: list[str]


class Row(msgspec.Struct):
    """A row that may be written: its number in the file, its cells, and its values in the order of `Converter.fields`."""

    number: int
    cells: list[str]
    values: tuple[Any, ...]
    record_id: int | None = None


class _Refused(msgspec.Struct, frozen=True):
    reason: str


class _Column:
    """Reads the cells of one column, and remembers what they mean."""

    def __init__(self, field: Field, place: int, plan: ColumnPlan) -> None:
        self.field = field
        self.place = place
        self._read = reader(field.type, plan.notation)
        self._known: dict[str, Any] = {}

    def values(self, cells: Sequence[str]) -> list[Any]:
        known, meaning = self._known, self._meaning
        return [known[cell] if cell in known else meaning(cell) for cell in cells]

    def _meaning(self, cell: str) -> Any:  # noqa: ANN401  a column's value, or why it is none
        value = self._parsed(cell)
        if len(self._known) < _REMEMBERED and len(cell) <= _SHORT:
            self._known[cell] = value
        return value

    def _parsed(self, cell: str) -> Any:  # noqa: ANN401  as above
        text = original(cell)
        if not text or text.isspace():
            return _Refused("is required") if self.field.required else None
        try:
            value = self._read(text)
            if isinstance(value, AmbiguousInput):
                return _Refused(value.problem)
            return parse(self.field, value)
        except InvalidValueError as error:
            return _Refused(str(error))


class Converter:
    """From cells to column values; `fields` are those that a row writes."""

    def __init__(self, collection: Collection, columns: Sequence[ColumnPlan]) -> None:
        by_name = {field.name: field for field in collection.fields}
        placed = [(place, plan) for place, plan in enumerate(columns) if plan.field and plan.field != ID]
        self.width = len(columns)
        self._columns = [_Column(by_name[plan.field or ""], place, plan) for place, plan in placed]
        self._id = next((place for place, plan in enumerate(columns) if plan.field == ID), None)
        mapped = [column.field for column in self._columns]
        self.fields = mapped
        self.others = [field for field in collection.fields if field not in mapped and not field.type.kind.computed]
        """Fields that no column has: a new record gets their defaults."""
        self.missing = [field.name for field in self.others if field.required and field.default is None]
        self.defaults = tuple(None if field.default is None else parse(field, field.default) for field in self.others)

    def rows(self, numbered: Sequence[tuple[int, list[str]]]) -> tuple[list[Row], list[Failure]]:
        """The rows that may be written, and those that may not."""
        failures: list[Failure] = []
        fitting: list[tuple[int, list[str]]] = []
        for number, cells in numbered:
            problem = _width_problem(cells, self.width)
            if problem:
                failures.append(Failure(number, "", problem, cells))
            else:
                fitting.append((number, _widened(cells, self.width)))
        by_column = list(zip(*(cells for _, cells in fitting), strict=True)) if fitting else []
        values = [column.values(by_column[column.place]) for column in self._columns] if fitting else []
        rows: list[Row] = []
        for (number, cells), row in zip(fitting, zip(*values, strict=True), strict=True):
            refused = next(((place, value) for place, value in enumerate(row) if type(value) is _Refused), None)
            if refused:
                failures.append(Failure(number, self.fields[refused[0]].name, refused[1].reason, cells))
                continue
            record_id = _id(cells[self._id]) if self._id is not None else None
            if record_id == _NO_ID:
                failures.append(Failure(number, ID, "must be a record's number", cells))
            else:
                rows.append(Row(number, cells, row, record_id))
        return rows, failures


def _id(cell: str) -> int | None:
    text = cell.strip()
    if not text:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) < _ID_DIGITS else _NO_ID


def _widened(cells: list[str], width: int) -> list[str]:
    return cells if len(cells) == width else [*cells, *[""] * (width - len(cells))][:width]


def _width_problem(cells: list[str], width: int) -> str:
    if len(cells) > width:
        return "" if not any(cells[width:]) else f"has {len(cells)} cells, and the file {width} columns"
    if len(cells) == 1 and width > 1 and any(mark in cells[0] for mark in ";,\t|"):
        return "is one cell: it may have another delimiter than the file"
    return ""
