"""Records as an XLSX workbook that is written while it is sent: nothing of it is held but the present page."""

import re
import zipfile
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import IO, Any, Final
from xml.sax.saxutils import escape, quoteattr

from vivero_web.spreadsheets import neutral

from vivero_data.domain.exports.texts import Line, cell
from vivero_data.lib.pipe import Pipe

SHEET_ROWS: Final = 1_048_576  # of a sheet; what is more goes into the next one
_EPOCH: Final = date(1899, 12, 30)
_FIRST_DAY: Final = date(1900, 3, 1)  # before it spreadsheets count a day that there was not
_DIGITS: Final = 15  # of a spreadsheet's numbers; longer ones are texts
_CELL: Final = 32_767  # characters that a spreadsheet's cell holds
_SECONDS: Final = 86_400
_ILLEGAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_XML: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELS: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_TYPES: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_STYLES: Final = (
    f'{_XML}<styleSheet xmlns="{_MAIN}"><numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>'
    '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="4"><xf/>'
    '<xf numFmtId="164" applyNumberFormat="1"/><xf numFmtId="165" applyNumberFormat="1"/><xf fontId="1" applyFont="1"/>'
    "</cellXfs></styleSheet>"
)
_SHEET: Final = (
    f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>'
)


class XlsxWriter:
    """Writes a workbook."""

    media_type = f"{_TYPES}.sheet"

    def __init__(self, rows: int = SHEET_ROWS) -> None:
        self._most = rows
        self._pipe = Pipe()
        self._archive = zipfile.ZipFile(self._pipe, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        self._sheet: IO[bytes] | None = None
        self._sheets = self._row = 0
        self._names: Sequence[str] = ()

    def begin(self, names: Sequence[str]) -> bytes:
        self._names = names
        self._open()
        return self._pipe.take()

    def page(self, lines: Sequence[Line]) -> bytes:
        start = 0
        while start < len(lines):
            if self._row >= self._most:
                self._close()
                self._open()
            part = lines[start : start + self._most - self._row]
            self._write("".join(_row(line) for line in part))
            self._row += len(part)
            start += len(part)
        return self._pipe.take()

    def end(self) -> bytes:
        self._close()
        for name, text in _parts(self._sheets).items():
            self._archive.writestr(name, text)
        self._archive.close()
        return self._pipe.take()

    def close(self) -> None:
        if self._sheet is not None:
            self._sheet.close()
        self._archive.close()

    def _open(self) -> None:
        self._sheets += 1
        self._sheet = self._archive.open(f"xl/worksheets/sheet{self._sheets}.xml", "w", force_zip64=True)
        heads = "".join(_text(neutral(name), style=3) for name in self._names)
        self._write(f"{_SHEET}<row>{heads}</row>")
        self._row = 1

    def _close(self) -> None:
        self._write("</sheetData></worksheet>")
        if self._sheet is not None:
            self._sheet.close()

    def _write(self, text: str) -> None:
        if self._sheet is not None:
            self._sheet.write(text.encode())


def _row(line: Line) -> str:
    return f"<row>{''.join(map(_cell, line))}</row>"


def _cell(value: Any) -> str:  # noqa: ANN401  a field's value; one line a kind
    if value is None:
        return "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, datetime):
        moment = value.replace(tzinfo=None)
        seconds = Decimal(
            int((moment - datetime.combine(moment.date(), datetime.min.time())) / timedelta(microseconds=1))
        )
        return _day(moment.date(), seconds / (_SECONDS * 1_000_000), 2) or _text(cell(value))
    if isinstance(value, date):
        return _day(value, Decimal(0), 1) or _text(value.isoformat())
    if isinstance(value, int | Decimal):
        digits = (
            len(f"{abs(value):f}".replace(".", "").lstrip("0")) if isinstance(value, Decimal) else len(str(abs(value)))
        )
        return f"<c><v>{cell(value)}</v></c>" if digits <= _DIGITS else _text(cell(value))
    return _text(cell(value)) if value != "" else "<c/>"


def _day(day: date, part: Decimal, style: int) -> str:
    if day < _FIRST_DAY:
        return ""
    number = (day - _EPOCH).days
    return f'<c s="{style}"><v>{number + round(part, 10):f}</v></c>' if part else f'<c s="{style}"><v>{number}</v></c>'


def _text(text: str, style: int = 0) -> str:
    # A carriage return would come back as a line feed, unless it is written as a reference.
    shown = escape(_ILLEGAL.sub("", text[:_CELL])).replace("\r", "&#13;")
    styled = f' s="{style}"' if style else ""
    return f'<c t="inlineStr"{styled}><is><t xml:space="preserve">{shown}</t></is></c>'


def _parts(sheets: int) -> dict[str, str]:
    """The parts beside the sheets."""
    numbers = range(1, sheets + 1)
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{number}.xml" ContentType="{_TYPES}.worksheet+xml"/>'
        for number in numbers
    )
    listed = "".join(
        f'<sheet name={quoteattr(f"Records {number}" if sheets > 1 else "Records")} sheetId="{number}" r:id="rId{number}"/>'
        for number in numbers
    )
    related = "".join(
        f'<Relationship Id="rId{number}" Type="{_RELS}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        for number in numbers
    )
    return {
        "xl/workbook.xml": f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_RELS}"><sheets>{listed}</sheets></workbook>',
        "xl/styles.xml": _STYLES,
        "xl/_rels/workbook.xml.rels": f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{related}'
        f'<Relationship Id="rId{sheets + 1}" Type="{_RELS}/styles" Target="styles.xml"/></Relationships>',
        "_rels/.rels": f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_RELS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "[Content_Types].xml": f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPES}.styles+xml"/>{overrides}</Types>',
    }
