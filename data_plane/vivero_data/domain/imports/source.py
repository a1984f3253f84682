"""The uploaded file as the child process reads it: pieces of the bucket's object on demand, nothing on the pod's disk."""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from vivero_data.domain.imports.text_files import problem

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer

_PIECE: Final = 2 * 1024**2  # bytes of one request to the bucket
_HEAD: Final = 512

_REFUSED: Final = (
    (b"\xd0\xcf\x11\xe0", "is an old Excel workbook: save it as XLSX or CSV"),
    (b"%PDF", "is a PDF: save the table as XLSX or CSV"),
    (b"\x89PNG", "is a picture"),
    (b"\xff\xd8\xff", "is a picture"),
    (b"\x1f\x8b", "is packed: unpack it first"),
    (b"SQLite format", "is a database: save the table as CSV"),
)


class SourceFile(io.RawIOBase):
    """A file of so many bytes, of which `read_part` fetches a range. Blocks."""

    def __init__(self, size: int, read_part: Callable[[range], bytes]) -> None:
        super().__init__()
        self._size = size
        self._read_part = read_part
        self._place = self._start = 0
        self._piece = b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(0, base + offset)
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: "Buffer") -> int:
        wanted = memoryview(buffer)
        if self._place >= self._size:
            return 0
        inside = self._place - self._start
        if not 0 <= inside < len(self._piece):
            self._start, inside = self._place, 0
            self._piece = self._read_part(range(self._start, min(self._start + _PIECE, self._size)))
        part = self._piece[inside : inside + len(wanted)]
        wanted[: len(part)] = part
        self._place += len(part)
        return len(part)


def opener(size: int, read_part: Callable[[range], bytes]) -> Callable[[], BinaryIO]:
    """Opens the file anew for each pass."""
    return lambda: cast("BinaryIO", io.BufferedReader(SourceFile(size, read_part), 64 * 1024))


def kind_of(open_file: Callable[[], BinaryIO], name: str) -> str:
    """`csv`, `xlsx` or `json`, by what is in the file; its name only tells lines of JSON from text.

    Raises:
        InvalidInputError: it is none of them.
    """
    with open_file() as file:
        head = file.read(_HEAD)
    if not head:
        raise problem("is empty")
    if head.startswith(b"PK\x03\x04"):
        return "xlsx"
    for mark, message in _REFUSED:
        if head.startswith(mark):
            raise problem(message)
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    named = name.lower().endswith((".json", ".jsonl", ".ndjson"))
    return "json" if named or text.startswith((b"[{", b'{"')) else "csv"
