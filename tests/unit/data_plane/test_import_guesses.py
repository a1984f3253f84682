"""What the columns of a file are taken for: types and notation by all values, and nothing is misread."""

import pytest
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.imports.cells import reader
from vivero_data.domain.imports.guess import ColumnGuess, decided
from vivero_data.domain.imports.schemas import Guessed
from vivero_data.lib.notation import Dates, Numbers
from vivero_web.spreadsheets import neutral, original


def guessed(*columns: list[str], batch: int = 2) -> list[Guessed]:
    """What columns are taken for, read a few cells at a time as a long file is."""
    made = []
    for number, cells in enumerate(columns):
        column = ColumnGuess(f"c{number}")
        for start in range(0, len(cells), batch):
            column.add(cells[start : start + batch])
        made.append(column)
    return decided(made)


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "-20", "0"], FieldType.INTEGER),
        (["01067", "99084"], FieldType.TEXT),  # a postal code keeps its zero
        (["+49 351 123", "0351 77"], FieldType.TEXT),
        (["1,5", "2"], FieldType.NUMBER),
        (["1.234,50 €", "€ 7"], FieldType.MONEY),
        (["1,234.50 USD", "USD -3"], FieldType.MONEY),
        (["7 €", "7 $"], FieldType.NUMBER),
        (["7,505 €", "1,00 €"], FieldType.NUMBER),
        (["1'234.50", "12"], FieldType.NUMBER),
        (["1.5E+10", "2.5"], FieldType.NUMBER),
        (["31.12.2026", "1.2.26"], FieldType.DATE),
        (["2026-12-31", "2026-01-01"], FieldType.DATE),
        (["31.12.2026 14:30", "01.01.2026 00:00:01"], FieldType.DATETIME),
        (["2026-12-31T12:00:00Z"], FieldType.DATETIME),
        (["ja", "Nein", ""], FieldType.BOOLEAN),
        (["TRUE", "FALSE"], FieldType.BOOLEAN),
        (["x", "", "X"], FieldType.BOOLEAN),
        (["a@example.com", "grün@gärtnerei.example"], FieldType.EMAIL),
        (["https://example.com/a?b=c", "http://x.example"], FieldType.URL),
        (["red", "green"] * 10, FieldType.CHOICE),
        (["red", "green", "blue"], FieldType.TEXT),
        (["one\ntwo", "three"], FieldType.LONG_TEXT),
        (["x" * 256], FieldType.LONG_TEXT),
        (["", " "], FieldType.TEXT),
        # One value that does not fit, at the very end.
        (["1"] * 99 + ["k. A."], FieldType.CHOICE),
        ([str(number) for number in range(99)] + ["k. A."], FieldType.TEXT),
        (["2026-12-31"] * 3 + ["soon"], FieldType.TEXT),
    ],
)
def test_a_type_is_that_of_all_values(cells: list[str], kind: FieldType) -> None:
    assert guessed(cells)[0].type is kind


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["1.234", "1.234,50"], Numbers.COMMA),
        (["1,234", "1,234.50"], Numbers.POINT),
        (["1.234", "0,5"], Numbers.COMMA),
        (["1.234.567", "1.234,5"], Numbers.COMMA),
        (["12.5", "1.234"], Numbers.POINT),
    ],
)
def test_a_mark_is_decided_by_all_values_of_the_column(cells: list[str], numbers: Numbers) -> None:
    found = guessed(cells)[0]
    assert (found.notation.numbers, found.open) == (numbers, "")


def test_what_may_be_two_numbers_is_left_open() -> None:
    assert guessed(["1.234", "5.678"])[0].open == "numbers"


def test_an_open_column_is_read_as_those_beside_it() -> None:
    assert guessed(["1.234"], ["7,50"])[0].notation.numbers is Numbers.COMMA
    assert guessed(["1.234"], ["31.12.2026"])[0].notation.numbers is Numbers.COMMA
    assert guessed(["1.234"], ["7.50"])[0].notation.numbers is Numbers.POINT


def test_columns_that_contradict_each_other_decide_nothing() -> None:
    found = guessed(["1.234"], ["7,50"], ["7.50"])
    assert [(one.notation.numbers, one.open) for one in found] == [
        (None, "numbers"),
        (Numbers.COMMA, ""),
        (Numbers.POINT, ""),
    ]


def test_a_day_is_told_from_a_month_by_all_values_or_left_open() -> None:
    assert guessed(["01/02/2026", "31/12/2026"])[0].notation.dates is Dates.DAY_FIRST
    assert guessed(["01/02/2026", "12/31/2026"])[0].notation.dates is Dates.MONTH_FIRST
    assert guessed(["01/02/2026", "03/04/2026"])[0].open == "dates"
    assert guessed(["01/02/2026"], ["31/12/2026"])[0].notation.dates is Dates.DAY_FIRST


@pytest.mark.parametrize(
    ("kind", "cells", "cell", "value"),
    [
        (FieldType.NUMBER, ["1.234,50"], "1.234,50 €", "1234.50"),
        (FieldType.NUMBER, ["1,5"], "-0,30000000000000004", "-0.30000000"),
        (FieldType.DATE, ["31.12.2026"], "1.2.26", "2026-02-01"),
        (FieldType.DATE, ["31.12.1999"], "01.02.99", "1999-02-01"),
        (FieldType.DATE, ["31-12-2026"], "01-02-2026", "2026-02-01"),
        (FieldType.DATE, ["2026-12-31"], "2026/1/2", "2026-01-02"),
        (FieldType.DATETIME, ["31.12.2026 14:30"], "1.2.2026 09:05", "2026-02-01T09:05:00Z"),
        (FieldType.BOOLEAN, ["ja"], " Nein ", "False"),
        (FieldType.TEXT, ["x"], " as it is ", " as it is "),
    ],
)
def test_a_cell_means_what_its_column_says(kind: FieldType, cells: list[str], cell: str, value: str) -> None:
    assert str(reader(kind, guessed(cells)[0].notation)(cell)) == value


@pytest.mark.parametrize("text", ["=1+1", "+49 351", "-5 °C", "@home", "\tx", "'=1", " =1", "''=1", "\uff1d1"])
def test_what_begins_like_a_formula_gets_an_apostrophe_and_loses_it_again(text: str) -> None:
    assert neutral(text) == f"'{text}"
    assert original(neutral(text)) == text


@pytest.mark.parametrize("text", ["", "Ada", "'tis", "1+1", "a=b", "it's"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert neutral(text) == text == original(text)
