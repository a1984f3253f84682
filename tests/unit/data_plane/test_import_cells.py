"""Cells become column values: a column read at once means what its cells mean one by one."""

from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.data_plane.builders import collection, field
from vivero_data.domain.collections.schemas import Field, parse
from vivero_data.domain.field_types.kind import AmbiguousInput, InvalidValueError
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.imports.cells import reader
from vivero_data.domain.imports.convert import Converter
from vivero_data.domain.imports.schemas import ColumnPlan
from vivero_data.domain.imports.usual import usual_reader
from vivero_data.lib.notation import Notation, Numbers
from vivero_web.spreadsheets import original

NOTATIONS: Final = [None, *Numbers]
USUAL: Final = {
    FieldType.TEXT: ["Rosenschere", "Gießkanne groß", "日本語", "a" * 255],
    FieldType.LONG_TEXT: ["Rosenschere", "b" * 16_000],
    FieldType.EMAIL: ["info@example.com", "grün@gärtnerei.example"],
    FieldType.INTEGER: ["0", "-12", "999999999999999999"],
    FieldType.NUMBER: ["0", "-12", "1234"],
    FieldType.MONEY: ["0", "-12", "1234"],
}
NUMBERS: Final = st.from_regex(r"[+-]?([0-9]{1,19}|[0-9]{1,3}([.,' ][0-9]{3}){1,5})([.,][0-9]{1,9})?", fullmatch=True)
CELLS: Final = st.one_of(
    NUMBERS,
    st.from_regex(r"[ ']?[a-zß]{1,5}@[a-z ]{1,3}\.[a-z]{1,3}[ \n]?", fullmatch=True),
    st.from_regex(r"[' \t=]{0,2}[0-9a-zé\x00\u00a0\u200b\u3000\n\r]{1,4}", fullmatch=True),
    st.text(min_size=1, max_size=4),
    st.integers(250, 260).map("a".__mul__),
)


def one_by_one(one: Field, notation: Notation, cells: list[str]) -> list[Any] | None:
    """The values of cells; None if one of them has none."""
    read = reader(one.type, notation)
    values: list[Any] = []
    for cell in cells:
        text = original(cell)
        value = AmbiguousInput("") if not text or text.isspace() else read(text)
        try:
            values.append(parse(one, value))
        except InvalidValueError:
            return None
    return values


@pytest.mark.parametrize("kind", USUAL)
@pytest.mark.parametrize("numbers", NOTATIONS)
@given(cells=st.lists(NUMBERS, min_size=1, max_size=3) | st.lists(CELLS, min_size=1, max_size=3))
def test_a_column_read_at_once_means_what_its_cells_mean(
    kind: FieldType, numbers: Numbers | None, cells: list[str]
) -> None:
    one, notation = field(kind), Notation(numbers)
    read = usual_reader(one, notation)
    found = read(cells) if read else None
    if found is not None:
        assert found == one_by_one(one, notation, cells)


@pytest.mark.parametrize(("kind", "cells"), USUAL.items(), ids=str)
@pytest.mark.parametrize("numbers", [None, Numbers.POINT, Numbers.COMMA])
def test_the_usual_spelling_is_read_at_once(kind: FieldType, cells: list[str], numbers: Numbers | None) -> None:
    read = usual_reader(field(kind), Notation(numbers))
    assert read
    assert read(cells) == one_by_one(field(kind), Notation(numbers), cells)


@pytest.mark.parametrize(
    ("numbers", "cells", "values"),
    [
        (Numbers.COMMA, ["1.234.567,50", "0,05", "-7"], ["1234567.50", "0.05", "-7"]),
        (Numbers.POINT, ["1234.567", "0.05"], ["1234.567", "0.05"]),
        (None, ["1234.5", "0.05"], ["1234.5", "0.05"]),
        (None, ["1.234", "0.05"], None),
        (Numbers.COMMA, ["1.23", "4"], None),
        (Numbers.POINT, ["1\n2", "3"], None),
        (Numbers.POINT, ["1.123456789"], None),
    ],
)
def test_a_column_of_numbers(numbers: Numbers | None, cells: list[str], values: list[str] | None) -> None:
    read = usual_reader(field(FieldType.NUMBER), Notation(numbers))
    assert read
    assert read(cells) == (None if values is None else [Decimal(value) for value in values])


def converter(*fields: Field) -> Converter:
    return Converter(
        collection(*fields), [ColumnPlan(one.name, one.name, one.type, Notation(), 1, ()) for one in fields]
    )


def test_empty_cells_are_no_values_and_refused_where_one_is_required() -> None:
    optional, required = field(FieldType.INTEGER, 1, name="A"), field(FieldType.TEXT, 2, name="B", required=True)
    rows, failures = converter(optional, required).rows(
        [(2, ["1", "x"]), (3, ["", "y"]), (4, ["2", ""]), (5, ["", " "])]
    )
    assert [(row.number, row.values) for row in rows] == [(2, (1, "x")), (3, (None, "y"))]
    assert [(one.row, one.field, one.reason) for one in failures] == [(4, "B", "is required"), (5, "B", "is required")]


def test_a_row_is_refused_for_its_first_field_at_fault_and_the_others_are_read() -> None:
    fields = [field(FieldType.INTEGER, 1, name="A"), field(FieldType.EMAIL, 2, name="B")]
    rows, failures = converter(*fields).rows([(2, ["one", "no"]), (3, ["3", "a@b.c"]), (4, ["4", "no"])])
    assert [(row.number, row.values) for row in rows] == [(3, (3, "a@b.c"))]
    assert [(one.row, one.field) for one in failures] == [(2, "A"), (4, "B")]


def test_a_batch_without_a_fitting_row_has_no_rows() -> None:
    rows, failures = converter(field(FieldType.TEXT)).rows([(2, ["a", "b"])])
    assert (rows, [one.row for one in failures]) == ([], [2])
