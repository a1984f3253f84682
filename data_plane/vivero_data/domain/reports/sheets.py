"""A report's figures as a file: CSV, or a workbook of one sheet; pure.

A report has a few hundred rows at most, so both are made in the serving process, and a workbook is small enough to be
written by hand: five files of XML in a ZIP.
"""

import io
from decimal import Decimal
from html import escape
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZipFile

from vivero_web.spreadsheets import BYTE_ORDER_MARK, neutral, written

from vivero_data.domain.reports.labels import EMPTY, grouping_label, measure_labels, rest_label
from vivero_data.domain.reports.schemas import Definition, ReportData

XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_EXACT_DIGITS: Final = 15  # that a spreadsheet keeps of a number
Cell = str | Decimal | int | bool | None

_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_SHEET: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS: Final = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-'
        'package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" Type="{_OFFICE}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{_SHEET}" xmlns:r="{_OFFICE}"><sheets><sheet name="Report" sheetId="1" r:id="rId1"/></sheets>'
        "</workbook>"
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" Type="{_OFFICE}/worksheet" '
        'Target="worksheets/sheet1.xml"/></Relationships>'
    ),
}


def lines(definition: Definition, data: ReportData) -> list[list[Cell]]:
    """A row a group; values as programs read them, groups without a value and beyond the limit in words."""
    found: list[list[Cell]] = [[*(grouping_label(one) for one in definition.group_by), *measure_labels(data)]]
    for row in data.rows:
        keys = [
            rest_label(definition, index) if rest else EMPTY if key is None else key
            for index, (key, rest) in enumerate(zip(row.keys, row.rest, strict=True))
        ]
        found.append([*keys, *row.values])
    return found


def as_csv(rows: list[list[Cell]]) -> bytes:
    """RFC 4180 in UTF-8 with the mark that spreadsheets need; a text that they would run as a formula gets a quote."""
    return BYTE_ORDER_MARK.encode() + written([_text(cell) for cell in row] for row in rows)


def _text(cell: Cell) -> str:
    return neutral(cell) if isinstance(cell, str) else _plain(cell)


def _plain(cell: Any) -> str:  # noqa: ANN401  a key or a figure
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return f"{Decimal(cell):f}"


def as_xlsx(rows: list[list[Cell]]) -> bytes:
    """Texts are inline and never formulas; a number with more digits than a spreadsheet keeps is a text."""
    body = "".join(f"<row>{''.join(map(_xml, row))}</row>" for row in rows)
    sheet = f'<worksheet xmlns="{_SHEET}"><sheetData>{body}</sheetData></worksheet>'
    packed = io.BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for name, content in {**_PARTS, "xl/worksheets/sheet1.xml": sheet}.items():
            archive.writestr(name, _HEAD + content)
    return packed.getvalue()


def _xml(cell: Cell) -> str:
    if cell is None:
        return "<c/>"
    if isinstance(cell, bool):
        return f'<c t="b"><v>{int(cell)}</v></c>'
    if not isinstance(cell, str) and len(Decimal(cell).as_tuple().digits) <= _EXACT_DIGITS:
        return f"<c><v>{_plain(cell)}</v></c>"
    words = cell if isinstance(cell, str) else _plain(cell)
    return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(words, quote=False)}</t></is></c>'
