"""An export's text holds what records hold, to the letter."""

import csv
import io
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.data_plane.builders import collection
from unit.data_plane.strategies import SPELLED, VALUES
from vivero_data.domain.collections.schemas import Field, parse, present
from vivero_data.domain.exports.texts import csv_lines
from vivero_data.domain.field_types.file import RecordFile
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.jobs.child import MEMORY_LIMIT
from vivero_data.domain.jobs.registry import KINDS, kind_of
from vivero_data.domain.records.export import Export, cells, file_name
from vivero_data.domain.records.schemas import Record
from vivero_data.lib.lists import split_list
from vivero_web.spreadsheets import original

NOW = datetime(2026, 11, 29, 10, 15, 0, 5, tzinfo=UTC)
BY_TYPE: dict[FieldType, Field] = {one.type: one for one in collection().fields}


def record(**values: Any) -> Record:  # noqa: ANN401  any values
    return Record(7, 2, values, NOW, NOW)


@given(VALUES[FieldType.FILE])
def test_files_are_written_by_their_names(value: list[RecordFile]) -> None:
    (line,) = csv.reader(io.StringIO(csv_lines([cells(record(a=value))]).decode(), newline=""))
    assert split_list(original(line[1])) == [file.name for file in value]


@given(SPELLED)
def test_every_value_comes_back_exactly(pair: tuple[FieldType, Any]) -> None:
    kind, value = pair
    field = BY_TYPE[kind]
    (line,) = csv.reader(io.StringIO(csv_lines([cells(record(a=value))]).decode(), newline=""))
    assert line[0] == "7"
    assert present(field, parse(field, original(line[1]))) == value


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2, max_size=4), max_size=4))
def test_any_text_stays_in_its_cell(lines: list[list[str]]) -> None:
    read = csv.reader(io.StringIO(csv_lines(lines).decode(), newline=""))
    assert [[original(cell) for cell in line] for line in read] == lines


def test_what_is_empty_is_an_empty_cell() -> None:
    (found,) = csv.reader(io.StringIO(csv_lines([cells(record(a=None, b=False, c=date(2026, 2, 28)))]).decode()))
    assert found == ["7", "", "false", "2026-02-28", "2026-11-29T10:15:00.000005Z", "2026-11-29T10:15:00.000005Z"]


def test_the_file_is_named_after_its_collection_and_the_minute() -> None:
    assert file_name("Contacts", NOW) == "Contacts 2026-11-29 1015.csv"


@pytest.mark.parametrize("kind", KINDS)
def test_a_kinds_name_fits_its_column(kind: str) -> None:
    assert kind.isascii()
    assert len(kind) <= 32


def test_an_order_knows_its_kind() -> None:
    assert kind_of(Export("Contacts")) == "export"
    assert MEMORY_LIMIT < 256 * 1024**2 - 70 * 1024**2, "server and child fit into a pod together"
