"""Files as people and programs send them: every encoding and delimiter is found, and what is no table is refused in words."""

import io
import json
import zipfile
from typing import BinaryIO, cast

import pytest
from vivero_data.domain.imports.reading import read_whole
from vivero_data.domain.imports.schemas import MAX_COLUMNS, Reading
from vivero_data.domain.imports.source import SourceFile, opener
from vivero_data.domain.imports.tables import Format, Table
from vivero_web.errors import InvalidInputError

TEXT = "Name;Ort\r\nJörg Weißäcker;Köln\r\nÉloïse;Besançon\r\n"
EURO = "Name;Preis\r\nGrüße;1 €\r\n"


def read(content: bytes, name: str = "x.csv") -> Reading:
    return read_whole(lambda: cast("BinaryIO", io.BufferedReader(io.BytesIO(content))), name, lambda rows: None)  # noqa: ARG005  nobody looks on


def first(content: bytes, name: str = "x.csv") -> list[tuple[str, ...]]:
    return list(read(content, name).first)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1", "cp850", "mac_roman"])  # fmt: skip
def test_an_encoding_is_found_by_what_is_in_the_file(encoding: str) -> None:
    assert first(TEXT.encode(encoding)) == [("Jörg Weißäcker", "Köln"), ("Éloïse", "Besançon")]


def test_an_encoding_is_decided_by_the_last_byte_too() -> None:
    lines = "Name;Ort\r\n" + "Ada;London\r\n" * 200_000
    assert read(lines.encode()).encoding == "utf-8"
    found = read((lines + "Jörg;Köln\r\n").encode("cp1252"))
    assert (found.encoding, found.rows) == ("cp1252", 200_001)


def test_a_euro_sign_of_windows_is_read() -> None:
    assert first(EURO.encode("cp1252")) == [("Grüße", "1 €")]


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_a_delimiter_and_line_ends_are_found(delimiter: str, end: str) -> None:
    lines = [delimiter.join(line) for line in (("A", "B"), ("1", '"x,y;z\n|"'), ("2", '"say ""hi"""'))]
    assert first(end.join(lines).encode()) == [("1", "x,y;z\n|"), ("2", 'say "hi"')]


def test_the_first_line_of_excel_names_the_delimiter() -> None:
    assert first(b"sep=|\r\nA|B\r\n1,5;2|3\r\n") == [("1,5;2", "3")]


def test_names_of_columns_become_names_of_fields() -> None:
    found = read(b'Name,,name,-x,"a\nb",' + b"y" * 90 + b"\n1,2,3,4,5,6\n")
    assert [one.name for one in found.columns] == ["Name", "Column 2", "name 2", "x", "a b", "y" * 59]


def test_rows_are_numbered_as_a_spreadsheet_shows_them() -> None:
    content = b"A,B\n\n1,2\n,\n3,4\n"
    table = Table(lambda: cast("BinaryIO", io.BufferedReader(io.BytesIO(content))), Format("csv", "utf-8", ","))
    assert list(table.batches()) == [[(3, ["1", "2"]), (5, ["3", "4"])]]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\n\n", "no row"),
        (b"Name\n", "no row below"),
        (b"Name\nA\0B\n", "NUL"),
        (b"\xd0\xcf\x11\xe0rest", "old Excel"),
        (b"%PDF-1.7", "PDF"),
        (b"\x89PNG\r\n\x1a\n", "picture"),
        (b"\x1f\x8b\x08", "packed"),
        (b"SQLite format 3\0", "database"),
        (b'A,B\n"1,2\n' + b"3,4\n" * 9, "not closed"),
        (b'A,B\n"1"x,2\n', "quotes in line 2"),
        (b"A\n" + b"x" * 200_000 + b"\n", "a cell of more than"),
        (",".join(f"c{number}" for number in range(3_000)).encode() + b"\n1\n", "3,000 columns"),
        (b"PK\x03\x04rest of nothing", "no XLSX workbook"),
        (b'[{"a": 1}, {"a": 2}', "ends in the middle"),
        (b'[{"a": 1}, 2]', "array of objects"),
        (b'[{"a": ]', "ends in the middle"),
        (b'[{"a": "\xff"}]', "no UTF-8"),
        (b"[]", "no row"),
    ],
)
def test_what_is_no_table_is_refused_in_words(content: bytes, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words) as found:
        read(content, "x.json" if content[:1] == b"[" else "x.csv")
    assert found.value.errors[0].field == "file"


def test_lines_of_json_are_read_too() -> None:
    lines = [{"a": 1.5, "b": None}, {"b": True, "c": ["x", "y"], "d": {"e": 1}}]
    content = "\n".join(map(json.dumps, lines)).encode()
    assert first(content, "x.jsonl") == [("1.5", "", "", ""), ("", "true", "x,y", '{"e":1}')]
    assert read(b'[{"a": 1.234}, {"a": 5.678}]').columns[0].open == ""


def workbook(sheet: str, **parts: str | bytes) -> bytes:
    made = io.BytesIO()
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", f'<workbook xmlns="{main}" xmlns:r="{relation}"><sheets><sheet name="A" sheetId="1" r:id="r1"/></sheets></workbook>')  # fmt: skip
        archive.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{package}"><Relationship Id="r1" Target="worksheets/sheet1.xml"/></Relationships>')  # fmt: skip
        archive.writestr("xl/worksheets/sheet1.xml", f'<worksheet xmlns="{main}"><sheetData>{sheet}</sheetData></worksheet>')  # fmt: skip
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/"), content)
    return made.getvalue()


HEAD = '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>Day</t></is></c><c r="C1" t="str"><v>Sum</v></c></row>'  # fmt: skip
SHARED = '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><r><t>Na</t></r><r><t>me</t></r><rPh sb="0" eb="1"><t>no</t></rPh></si></sst>'  # fmt: skip
STYLES = '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts><numFmt numFmtId="170" formatCode="[$-407]d/\\ mmmm\\ yyyy"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="170"/></cellXfs></styleSheet>'  # fmt: skip


def test_a_workbook_is_read_as_it_is_shown() -> None:
    rows = '<row r="3"><c r="A3" t="b"><v>1</v></c><c r="B3" s="1"><v>46024</v></c><c r="C3"><v>0.30000000000000004</v></c></row>'
    rows += '<row r="4"><c r="B4" s="2"><v>46024.5</v></c><c r="C4"><v>1.234</v></c></row>'
    rows += '<row r="5"><c r="A5" t="e"><v>#N/A</v></c><c r="C5"><v>1E3</v></c></row>'
    content = workbook(HEAD + rows, xl__sharedStrings_xml=b"")
    content = workbook(HEAD + rows, **{"xl__sharedStrings.xml": SHARED, "xl__styles.xml": STYLES})
    found = read(content, "x.xlsx")
    assert [one.name for one in found.columns] == ["Name", "Day", "Sum"]
    assert list(found.first) == [
        ("true", "2026-01-02", "0.3"),
        ("", "2026-01-02 12:00:00", "1.2340"),
        ("", "", "1000"),
    ]


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (workbook(HEAD, **{"xl__sharedStrings.xml": BOMB + SHARED}), "document type"),
        (workbook(HEAD, **{"xl__sharedStrings.xml": b" " * (100 * 1024**2)}), "too large unpacked|400 times"),
        (workbook(f'<row r="1"><c r="A1" t="str"><v>{"0" * 5_000_000}</v></c></row>'), "400 times"),
        (workbook('<row r="1"><c r="ZZZ1"><v>1</v></c></row>'), f"{MAX_COLUMNS} columns"),
        (workbook('<row r="99999999"><c><v>1</v></c></row>'), "places that no sheet has"),
        (workbook('<row r="1"><c t="s"><v>7</v></c></row>'), "cannot be read|can be read"),
        (workbook("<row><c>"), "can be read"),
        (workbook(HEAD + "x" * 3)[:-40], "damaged"),
    ],
)
def test_a_workbook_that_is_none_or_a_bomb_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        read(content, "x.xlsx")


def test_an_archive_without_a_workbook_is_refused() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("a.txt", "x")
    with pytest.raises(InvalidInputError, match="no XLSX workbook"):
        read(made.getvalue(), "x.xlsx")


def test_a_file_in_the_bucket_is_read_in_parts_from_any_place() -> None:
    content = bytes(place * place % 251 for place in range(100_000))
    asked: list[range] = []

    def part(wanted: range) -> bytes:
        asked.append(wanted)
        return content[wanted.start : wanted.stop]

    with opener(len(content), part)() as file:
        assert file.read(10) == content[:10]
        file.seek(-5, io.SEEK_END)
        assert file.read() == content[-5:]
        file.seek(50_000)
        assert file.read() == content[50_000:]
    assert all(0 <= one.start < one.stop <= len(content) for one in asked)
    raw = SourceFile(len(content), part)
    raw.seek(len(content) + 1)
    assert raw.read(1) == b""
