"""What an export writes an import reads back, to the letter: any values, in any format."""

import io
import zipfile
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, BinaryIO, cast

import pytest
from hypothesis import given
from unit.data_plane import builders
from unit.data_plane.strategies import WRITABLE
from vivero_data.domain.collections.schemas import Field, present
from vivero_data.domain.exports.service import ExportFormat, line_of, writer_of
from vivero_data.domain.exports.xlsx import XlsxWriter
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.imports.convert import Converter
from vivero_data.domain.imports.plan import fitted_columns
from vivero_data.domain.imports.reading import read_whole
from vivero_data.domain.imports.schemas import ColumnOrder, Mapping
from vivero_data.domain.imports.tables import Format, Table
from vivero_data.domain.records.schemas import Record
from vivero_data.lib.notation import Numbers

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FORMATS = list(ExportFormat)


def opened(content: bytes) -> BinaryIO:
    return cast("BinaryIO", io.BufferedReader(io.BytesIO(content)))


def exported(kind: ExportFormat, records: list[Record], names: list[str]) -> bytes:
    writer = writer_of(kind)
    lines = [line_of(record, names) for record in records]
    return writer.begin(["id", *names, "created_at", "updated_at"]) + writer.page(lines) + writer.end()


def imported(content: bytes, file: str, *fields: Field) -> tuple[list[dict[str, Any]], list[Any]]:
    """The values that would be written, and what would be refused."""
    collection = builders.collection(*fields)
    reading = read_whole(lambda: opened(content), file, lambda rows: None)  # noqa: ARG005  nobody looks on
    mapping: Mapping = {field.name: ColumnOrder(field.name, numbers=Numbers.POINT) for field in fields}
    columns = fitted_columns(reading.columns, mapping, collection)
    converter = Converter(collection, columns)
    table = Table(lambda: opened(content), Format(reading.kind, reading.encoding, reading.delimiter))
    rows, failures = converter.rows([row for batch in table.batches() for row in batch])
    values = [
        {field.name: present(field, value) for field, value in zip(converter.fields, row.values, strict=True)}
        for row in rows
    ]
    return values, failures


def record_of(fields: list[Field], values: list[Any], number: int) -> Record:
    return Record(number, 1, dict(zip([field.name for field in fields], values, strict=True)), NOW, NOW)


@pytest.mark.parametrize("kind", FORMATS)
@given(pair=WRITABLE)
def test_every_value_comes_back(kind: ExportFormat, pair: tuple[FieldType, Any]) -> None:
    of, value = pair
    field = builders.field(of, 10, name="Field")
    records = [record_of([field], [value], 1), record_of([field], [None], 2)]
    values, failures = imported(exported(kind, records, ["Field"]), f"x.{kind}", field)
    assert failures == []
    assert [one["Field"] for one in values] == [as_kept(kind, value), None]


def as_kept(kind: ExportFormat, value: Any) -> Any:  # noqa: ANN401  a field's value
    """A value as a file and a form keep it: no blank text, one kind of line ends, a spreadsheet's times to the second."""
    if isinstance(value, str):
        return None if not value.strip() else value.replace("\r\n", "\n").replace("\r", "\n")
    if isinstance(value, datetime) and kind is ExportFormat.XLSX and value.date() >= date(1900, 3, 1):
        return (value + timedelta(microseconds=500_000)).replace(microsecond=0)
    return value


def test_a_workbook_is_written_in_several_sheets_when_one_is_full() -> None:
    writer = XlsxWriter(rows=3)
    content = writer.begin(["id"]) + writer.page([[1], [2], [3]]) + writer.page([[4], [5]]) + writer.end()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        assert archive.testzip() is None
        assert [archive.read(name).count(b"<row>") for name in sheets] == [3, 3, 2]


@pytest.mark.parametrize("kind", [ExportFormat.CSV, ExportFormat.XLSX])
@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", '=HYPERLINK("http://x")', "\t=1", "'=1"])
def test_no_cell_begins_like_a_formula(kind: ExportFormat, text: str) -> None:
    field = builders.field(FieldType.LONG_TEXT, 10, name="=Name")
    content = exported(kind, [record_of([field], [text], 1)], ["=Name"])
    if kind is ExportFormat.XLSX:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            content = archive.read("xl/worksheets/sheet1.xml")
            assert b"<f>" not in content
            assert b">'=Name<" in content
            return
    assert b"'=Name" in content
    assert f"'{text[:2]}".encode() in content.replace(b'""', b'"')


def test_a_number_and_a_date_are_numbers_in_a_workbook() -> None:
    writer = XlsxWriter()
    line = [
        1,
        Decimal("1.5"),
        date(2026, 1, 2),
        datetime(2026, 1, 2, 12, tzinfo=UTC),
        True,
        None,
        Decimal(10) ** 15 + 1,
    ]
    content = writer.begin(["a"] * len(line)) + writer.page([line]) + writer.end()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    for cell in ("<v>1.5</v>", '<c s="1"><v>46024</v></c>', '<c s="2"><v>46024.5', '<c t="b"><v>1</v></c>', "<c/>"):
        assert cell in sheet
    assert ">1000000000000001<" in sheet
