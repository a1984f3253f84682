"""XLSX workbooks: the rows of the first sheet that has some, parsed as they are unpacked.

A workbook is an archive of XML by somebody unknown. So sizes are bounded before anything is unpacked, nothing is unpacked
whole, and a document type declaration, which entities need, ends the import.
"""

import re
import xml.parsers.expat
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import IO, BinaryIO, Final

from vivero_data.domain.imports.schemas import MAX_COLUMNS
from vivero_data.domain.imports.text_files import Open, problem
from vivero_data.lib.numbers import written

_MOST_BYTES: Final = 2 * 1024**3  # of a sheet unpacked: five million rows of a few columns
_MOST_TEXTS: Final = 64 * 1024**2  # bytes of the shared texts unpacked, which are held in memory
_MOST_PARTS: Final = 2_000
_RATIO: Final = 400  # unpacked to packed; a sheet of nothing but zeros has some 200
_SMALL: Final = 1024**2  # bytes to which the ratio does not matter
_PIECE: Final = 64 * 1024
_EPOCHS: Final = {False: datetime(1899, 12, 30), True: datetime(1904, 1, 1)}  # noqa: DTZ001  a sheet knows no zone
_LAST_DAY: Final = 2_958_465  # 9999-12-31
_BUILT_IN: Final = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_LITERAL: Final = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')
_CLOCK_ONLY: Final = 1  # a number below it is a time without a day


def xlsx_rows(open_file: Open) -> Iterator[list[str]]:
    """Every row of the first sheet with rows, with the empty ones between.

    Raises:
        InvalidInputError: it is no workbook, or too large.
    """
    with open_file() as file:
        try:
            yield from _rows(file)
        except zipfile.BadZipFile as error:
            raise problem("is no XLSX workbook: its archive is damaged") from error
        except (xml.parsers.expat.ExpatError, KeyError, IndexError, ValueError, UnicodeDecodeError) as error:
            raise problem("is no XLSX workbook that can be read: save it again, or as CSV") from error
        except (NotImplementedError, RuntimeError) as error:
            raise problem("is protected or packed in a way that cannot be read: save it without a password") from error


def _rows(file: BinaryIO) -> Iterator[list[str]]:
    with zipfile.ZipFile(file) as archive:
        _check(archive)
        book = _Book(archive)
        for part in book.sheets:
            some = False
            for row in _Sheet(book).rows(archive, part):
                some = some or any(row)
                yield row
            if some:
                return


def _check(archive: zipfile.ZipFile) -> None:
    """Refuse what would not fit before it is unpacked."""
    parts = archive.infolist()
    if len(parts) > _MOST_PARTS:
        raise problem(f"has more than {_MOST_PARTS:,} parts")
    if not any(part.filename == "xl/workbook.xml" for part in parts):
        raise problem("is an archive, but no XLSX workbook")
    for part in parts:
        bound = _MOST_TEXTS if part.filename.endswith("sharedStrings.xml") else _MOST_BYTES
        if part.file_size > bound:
            raise problem(f"is too large unpacked: {part.filename} has {part.file_size:,} bytes. Save it as CSV")
        if part.file_size > _SMALL and part.file_size > _RATIO * max(part.compress_size, 1):
            raise problem(f"unpacks to more than {_RATIO} times its size, as no spreadsheet does")


class _Reader:
    """Parses a part with callbacks, and hands over what they collected after each piece."""

    def __init__(self) -> None:
        self.parser = xml.parsers.expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.StartElementHandler = lambda name, given: self.start(name.rpartition(" ")[2], given)
        self.parser.EndElementHandler = lambda name: self.end(name.rpartition(" ")[2])

    def _refuse(self, *_: object) -> None:
        raise problem("has a document type, as no spreadsheet has")

    def start(self, name: str, given: dict[str, str], /) -> None: ...

    def end(self, name: str) -> None: ...

    def parse(self, part: IO[bytes], longest: int) -> Iterator[None]:
        """After each piece."""
        size = 0
        while piece := part.read(_PIECE):
            size += len(piece)
            if size > longest:
                raise problem("is larger than its archive says")
            self.parser.Parse(piece)
            yield
        self.parser.Parse(b"", True)  # noqa: FBT003  the end
        yield


class _Elements(_Reader):
    """The attributes of every element, of a part that is small."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []

    def start(self, name: str, given: dict[str, str]) -> None:
        self.found.append((name, {key.rpartition(" ")[2]: value for key, value in given.items()}))


class _Texts(_Reader):
    """The shared texts, without the sounds of eastern scripts (rPh)."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._parts: list[str] = []
        self._inside = self._sounds = False
        self.parser.CharacterDataHandler = self._take

    def start(self, name: str, _: dict[str, str]) -> None:
        if name == "si":
            self._parts = []
        self._sounds = self._sounds or name == "rPh"
        self._inside = name == "t" and not self._sounds

    def end(self, name: str) -> None:
        self._inside = False
        if name == "rPh":
            self._sounds = False
        elif name == "si":
            self.texts.append("".join(self._parts))

    def _take(self, text: str) -> None:
        if self._inside:
            self._parts.append(text)


class _Book:
    """What is shared by a workbook's sheets."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        names = set(archive.namelist())
        related = {
            given["Id"]: _inside(given["Target"])
            for name, given in self._elements("xl/_rels/workbook.xml.rels")
            if name == "Relationship"
        }
        workbook = self._elements("xl/workbook.xml")
        self.sheets = [related[given["id"]] for name, given in workbook if name == "sheet"]
        self.late = any(given.get("date1904") in {"1", "true"} for name, given in workbook if name == "workbookPr")
        self.texts = self._shared() if "xl/sharedStrings.xml" in names else []
        self.dates = self._dates() if "xl/styles.xml" in names else []

    def _elements(self, part: str) -> list[tuple[str, dict[str, str]]]:
        reader = _Elements()
        with self._archive.open(part) as file:
            for _ in reader.parse(file, _MOST_TEXTS):
                pass
        return reader.found

    def _shared(self) -> list[str]:
        reader = _Texts()
        with self._archive.open("xl/sharedStrings.xml") as file:
            for _ in reader.parse(file, _MOST_TEXTS):
                pass
        return reader.texts

    def _dates(self) -> list[bool]:
        """For each style of cells, whether it shows a number as a date."""
        formats: dict[int, str] = {}
        found: list[bool] = []
        inside = False
        for name, given in self._elements("xl/styles.xml"):
            if name == "numFmt":
                formats[int(given["numFmtId"])] = given["formatCode"]
            elif name in {"cellXfs", "cellStyleXfs", "cellStyles", "dxfs"}:
                inside = name == "cellXfs"
            elif name == "xf" and inside:
                number = int(given.get("numFmtId", "0"))
                found.append(number in _BUILT_IN or _is_date(formats.get(number, "")))
        return found


def _is_date(code: str) -> bool:
    plain = _LITERAL.sub("", code.partition(";")[0]).casefold()
    return "general" not in plain and any(letter in plain for letter in "ymdhs")


def _inside(target: str) -> str:
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


class _Sheet(_Reader):
    """The rows of one sheet."""

    def __init__(self, book: _Book) -> None:
        super().__init__()
        self._book = book
        self._rows: list[list[str]] = []
        self._row: list[str] = []
        self._number = 0
        self._column = 0
        self._kind = ""
        self._style = 0
        self._text: list[str] | None = None
        self._value = ""
        self._sounds = False
        self.parser.CharacterDataHandler = self._take

    def rows(self, archive: zipfile.ZipFile, part: str) -> Iterator[list[str]]:
        """Each row, and an empty one for each that the sheet leaves out."""
        with archive.open(part) as file:
            for _ in self.parse(file, _MOST_BYTES):
                yield from self._rows
                self._rows = []

    def start(self, name: str, given: dict[str, str]) -> None:
        if name == "c":
            place = given.get("r", "")
            self._column = _column(place) if place else self._column + 1
            if self._column > MAX_COLUMNS:
                raise problem(f"has more than {MAX_COLUMNS} columns")
            self._kind, self._style, self._value = given.get("t", "n"), int(given.get("s", "0")), ""
        elif name in {"v", "t"} and not self._sounds:
            self._text = []
        elif name == "rPh":
            self._sounds = True
        elif name == "row":
            number = int(given.get("r", self._number + 1))
            if number > self._number + 1_048_576:
                raise problem("has rows at places that no sheet has")
            self._rows += [[] for _ in range(number - self._number - 1)]
            self._number, self._row, self._column = number, [], 0

    def end(self, name: str) -> None:
        if name in {"v", "t"} and self._text is not None:
            self._value += "".join(self._text)
            self._text = None
        elif name == "rPh":
            self._sounds = False
        elif name == "c":
            if self._value:
                self._row += [""] * (self._column - len(self._row))
                self._row[self._column - 1] = self._cell()
        elif name == "row":
            self._rows.append(self._row)

    def _take(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def _cell(self) -> str:
        """A cell as text that means one thing."""
        if self._kind == "s":
            return self._book.texts[int(self._value)]
        if self._kind == "b":
            return "true" if self._value == "1" else "false"
        if self._kind == "e":  # #N/A and the like
            return ""
        if self._kind in {"str", "inlineStr", "d"}:
            return self._value
        if self._style < len(self._book.dates) and self._book.dates[self._style]:
            return _date(self._value, late=self._book.late)
        return _number(self._value)


def _column(place: str) -> int:
    """`AB7` → 28."""
    number = 0
    for letter in place.rstrip("0123456789"):
        number = number * 26 + ord(letter) - 64
    if number < 1:
        raise problem("has a cell without a place")
    return number


def _number(text: str) -> str:
    """A number of a spreadsheet, which has 15 digits, so that a column's notation does not matter."""
    exact = Decimal(text)
    if len(exact.as_tuple().digits) > 15:  # noqa: PLR2004  see above
        exact = Decimal(f"{float(text):.15g}")
    return written(exact)


def _date(text: str, *, late: bool) -> str:
    days = float(text)
    if not 0 <= days <= _LAST_DAY:
        return _number(text)
    moment = _EPOCHS[late] + timedelta(seconds=round(days * 86_400))
    if days < _CLOCK_ONLY and days:
        return moment.time().isoformat()
    return moment.date().isoformat() if days == int(days) else moment.isoformat(sep=" ")
