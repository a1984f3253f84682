"""Rows of cells as rows of column values, a column at a time; pure."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from vivero_web.spreadsheets import original

from vivero_data.domain.collections.schemas import Collection, Field, parse
from vivero_data.domain.field_types.kind import AmbiguousInput, InvalidValueError
from vivero_data.domain.imports.cells import reader
from vivero_data.domain.imports.plan import ID, is_importable
from vivero_data.domain.imports.schemas import ColumnPlan
from vivero_data.domain.imports.usual import usual_reader

_REMEMBERED: Final = 2_000  # values of a column, of which some repeat few
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
    """Reads the cells of one column; remembers what they mean, if they are not read all at once."""

    def __init__(self, field: Field, place: int, plan: ColumnPlan) -> None:
        self.field = field
        self.place = place
        self._read = reader(field.type, plan.notation)
        self._read_usual = usual_reader(field, plan.notation)
        self._known: dict[str, Any] = {}

    def values(self, cells: Sequence[str]) -> tuple[list[Any], dict[int, str]]:
        """The column's values, and why some are none, by their place."""
        usual = self._usual(cells)
        if usual is not None:
            return usual, {}
        known, meaning = self._known, self._meaning
        values = [known[cell] if cell in known else meaning(cell) for cell in cells]
        return values, {place: value.reason for place, value in enumerate(values) if type(value) is _Refused}

    def _usual(self, cells: Sequence[str]) -> list[Any] | None:
        """The values of cells that are all empty or spelled as usual; None if one is not."""
        if self._read_usual is None:
            return None
        filled = [cell for cell in cells if cell]
        if len(filled) == len(cells):
            return self._read_usual(filled)
        values = None if self.field.required else self._read_usual(filled) if filled else []
        if values is None:
            return None
        following = iter(values)
        return [next(following) if cell else None for cell in cells]

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
        self.others = [field for field in collection.fields if field not in mapped and is_importable(field.type)]
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
        if not fitting:
            return [], failures
        by_column = list(zip(*(cells for _, cells in fitting), strict=True))
        values: list[list[Any]] = []
        refused: dict[int, tuple[str, str]] = {}  # the first field at fault, and why, by the row's place
        for column in self._columns:
            found, reasons = column.values(by_column[column.place])
            values.append(found)
            for place, reason in reasons.items():
                refused.setdefault(place, (column.field.name, reason))
        rows: list[Row] = []
        for place, ((number, cells), row) in enumerate(zip(fitting, zip(*values, strict=True), strict=True)):
            if place in refused:
                failures.append(Failure(number, *refused[place], cells))
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
