"""CSV files: encoding, delimiter and rows, decided by the whole file; pure but for what is read.

A file is opened anew for each pass over it, and never held as a whole.
"""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

from vivero_web.errors import InvalidInputError

Open = Callable[[], BinaryIO]

_PIECE: Final = 1024 * 1024  # bytes
_CELL: Final = 100_000  # characters; a long text field keeps 16,000
_SAMPLE_LINES: Final = 500
_DELIMITERS: Final = ";,\t|"
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Letters that people of western Europe write, by their byte in each encoding of a byte a character.
_LETTERS: Final = "äöüÄÖÜßéèêàâçñáíóúåæøÅÆØÉôîûëï€„“”§°"
_SINGLE: Final = ("cp1252", "cp850", "mac_roman")


def problem(message: str) -> InvalidInputError:
    """Why a file cannot be imported."""
    return InvalidInputError.of("file", message)


def encoding_of(open_file: Open) -> str:
    """The encoding of a text file, after reading all of it.

    Raises:
        InvalidInputError: it is no text.
    """
    with open_file() as file:
        head = file.read(_PIECE)
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if b"\0" in head:
        return _wide(head)
    decoder, bytes_seen, is_utf8 = codecs.getincrementaldecoder("utf-8")(), Counter[int](), True
    with open_file() as file:
        while piece := file.read(_PIECE):
            if b"\0" in piece:
                raise problem("has NUL bytes: it is no text. Save it as CSV in UTF-8")
            if is_utf8:
                try:
                    decoder.decode(piece)
                except UnicodeDecodeError:
                    is_utf8 = False
            bytes_seen.update(byte for byte in re.sub(rb"[\x00-\x7f]+", b"", piece))
    if is_utf8:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            is_utf8 = False
    return "utf-8" if is_utf8 else _single(bytes_seen)


def _wide(head: bytes) -> str:
    """UTF-16 without a mark: of two bytes of a western letter one is NUL."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    length = max(len(head) // 2, 1)
    if odd / length > 0.3 and even == 0:  # noqa: PLR2004  more than any file of bytes has
        return "utf-16-le"
    if even / length > 0.3 and odd == 0:  # noqa: PLR2004  as above
        return "utf-16-be"
    raise problem("has NUL bytes: it is no text. Save it as CSV in UTF-8")


def _single(seen: Counter[int]) -> str:
    """The encoding in which most bytes above ASCII are letters that people write."""

    def letters(encoding: str) -> int:
        return sum(count for byte, count in seen.items() if bytes([byte]).decode(encoding, "replace") in _LETTERS)

    best = max(_SINGLE, key=letters)
    undefined = any(bytes([byte]).decode("cp1252", "ignore") == "" for byte in seen)
    return "latin-1" if best == "cp1252" and undefined else best


def _text(open_file: Open, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(open_file(), encoding, newline="")


def delimiter_of(open_file: Open, encoding: str) -> str:
    """The delimiter that cuts the first lines into rows most alike."""
    with _text(open_file, encoding) as text:
        lines = [line for _, line in zip(range(_SAMPLE_LINES), text, strict=False)]
    if lines and (said := re.fullmatch(r"sep=(.)\s*", lines[0])):
        return said[1]
    sample = "".join(lines)

    def alike(delimiter: str) -> tuple[float, int]:
        widths = Counter(len(row) for row in _rows(io.StringIO(sample, newline=""), delimiter, strict=False) if row)
        width, count = widths.most_common(1)[0] if widths else (1, 0)
        return (count / max(widths.total(), 1) if width > 1 else 0.0, width)

    return max(_DELIMITERS, key=alike)


def _rows(lines: Iterator[str] | io.TextIOBase, delimiter: str, *, strict: bool) -> Iterator[list[str]]:
    csv.field_size_limit(_CELL)
    reader = csv.reader(lines, delimiter=delimiter, strict=strict)
    while True:
        try:
            yield from reader
        except csv.Error as error:
            if strict:
                raise _broken(str(error), reader.line_num) from error
        return


def _broken(said: str, line: int) -> InvalidInputError:
    if "unexpected end of data" in said or "field limit" in said:
        return problem(
            f"has a quote that is opened and not closed, or a cell of more than {_CELL:,} characters, up to line {line:,}"
        )
    return problem(f"has quotes in line {line:,} that do not fit: a quote inside a quoted cell is written twice")


def csv_rows(open_file: Open, encoding: str, delimiter: str) -> Iterator[list[str]]:
    """Every row, with the empty ones.

    Raises:
        InvalidInputError: a quote is never closed, or the text does not fit the encoding.
    """
    with _text(open_file, encoding) as text:
        try:
            for number, row in enumerate(_rows(text, delimiter, strict=True)):
                if not (number == 0 and len(row) <= 2 and row and row[0].startswith("sep=")):  # noqa: PLR2004  Excel's first line
                    yield row
        except UnicodeDecodeError as error:
            raise problem(f"is not {encoding} throughout: save it as CSV in UTF-8") from error
