"""Streams of bytes that never are in memory as a whole: reading from an iterator, packing, unpacking, measuring."""

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

_GZIP: Final = 31  # zlib's `wbits` for the format of gzip with its largest window
_PIECE: Final = 65_536
_TAIL: Final = 1024
Read = Callable[[int], bytes]


class Reader:
    """An iterator of bytes as a file to read from; `read` returns fewer bytes than asked for only at the end."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = bytearray()

    def read(self, size: int = -1) -> bytes:
        """So many bytes; all that are left without a size."""
        while (size < 0 or len(self._left) < size) and (piece := next(self._pieces, None)) is not None:
            self._left += piece
        end = len(self._left) if size < 0 else size
        taken = bytes(self._left[:end])
        del self._left[:end]
        return taken


@dataclass
class Measured:
    """What went through a stream: its length, SHA-256 and last bytes."""

    size: int = 0
    tail: bytes = b""
    _hash: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def through(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The same pieces, each counted as it passes."""
        for piece in pieces:
            self.size += len(piece)
            self.tail = (self.tail + piece)[-_TAIL:]
            self._hash.update(piece)
            yield piece


def pieces_of(read: Read) -> Iterator[bytes]:
    """Until `read` returns nothing."""
    while piece := read(_PIECE):
        yield piece


def packed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """In the format of gzip."""
    packer = zlib.compressobj(wbits=_GZIP)
    for piece in pieces:
        if done := packer.compress(piece):
            yield done
    yield packer.flush()


def unpacked(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """What `packed` was given.

    Raises:
        zlib.error: it is damaged, or ends too early.
    """
    unpacker = zlib.decompressobj(wbits=_GZIP)
    for piece in pieces:
        rest = piece
        while rest:
            yield unpacker.decompress(rest, _PIECE)
            rest = unpacker.unconsumed_tail
    yield unpacker.flush()
    if not unpacker.eof:
        raise zlib.error("the stream ends too early")
