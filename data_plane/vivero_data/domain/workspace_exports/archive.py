"""A ZIP that is written from front to back into pieces of a fixed size; no more than a piece of it is in memory."""

import hashlib
import tempfile
import zipfile
from collections.abc import Awaitable, Callable, Mapping
from typing import IO, Any, Final

import msgspec

from vivero_data.domain.exports.texts import JsonArray
from vivero_data.lib.json import encode_bytes
from vivero_data.lib.pipe import Pipe

PIECE: Final = 8 * 1024**2
"""Bytes of each piece but the last."""
_FAST: Final = 1  # zlib level
_READ: Final = 64 * 1024
MANIFEST: Final = "manifest.json"

Store = Callable[[int, bytes], Awaitable[None]]
"""Stores the piece of this number."""


class Member(msgspec.Struct, frozen=True):
    """A member of the archive, as its manifest lists it; `count` is how many records, comments, … it has."""

    name: str
    size: int
    sha256: str
    count: int | None = None


class Listed:
    """A JSON array that grows in a temporary file while something else is written."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  closed by `close`
        self._array = JsonArray()

    def add(self, item: Any) -> None:  # noqa: ANN401  whatever JSON can say
        self._file.write(self._array.add([item]))

    async def write_to(self, archive: "Archive") -> None:
        """Write the whole array, once, as a part of a member."""
        self._file.write(self._array.end())
        self._file.seek(0)
        while text := self._file.read(_READ):
            await archive.write(text)

    def close(self) -> None:
        self._file.close()


class Archive:
    """Members are written one after the other: `begin`, `write`, `end`; `finish` at last, and `close` in any case."""

    def __init__(self, store: Store, piece: int = PIECE) -> None:
        self.size = 0
        self._store = store
        self._piece = piece
        self._pipe = Pipe()
        self._zip = zipfile.ZipFile(self._pipe, "w", zipfile.ZIP_DEFLATED, compresslevel=_FAST)
        self._buffer = bytearray()
        self._number = 0
        self._members = Listed()
        self._member: IO[bytes] | None = None
        self._name = ""
        self._written = 0
        self._digest = hashlib.sha256()

    def begin(self, name: str, *, packed: bool = True) -> None:
        """Start a member; files of people are mostly packed already."""
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        self._member = self._zip.open(info, "w", force_zip64=True)
        self._name, self._written, self._digest = name, 0, hashlib.sha256()

    async def write(self, data: bytes) -> None:
        if self._member is None:
            raise RuntimeError("No member was begun.")
        self._member.write(data)
        self._digest.update(data)
        self._written += len(data)
        await self._pass_on()

    async def end(self, count: int | None = None) -> None:
        """The member is complete."""
        if self._member is not None:
            self._member.close()
            self._member = None
        await self._pass_on()
        self._members.add(Member(self._name, self._written, self._digest.hexdigest(), count))

    async def finish(self, head: Mapping[str, Any]) -> None:
        """Write the manifest, which begins with `head` (not empty), and store the last piece."""
        self.begin(MANIFEST)
        await self.write(encode_bytes(head).removesuffix(b"}") + b',"members":')
        await self._members.write_to(self)
        await self.write(b"}\n")
        await self.end()
        self._zip.close()
        await self._pass_on()
        if self._buffer or not self._number:
            await self._store_piece(bytes(self._buffer))
            self._buffer.clear()

    def close(self) -> None:
        """Let go of what it holds."""
        self._members.close()
        if self._member is not None:
            self._member.close()
            self._member = None
        self._zip.close()

    async def _pass_on(self) -> None:
        self._buffer += self._pipe.take()
        while len(self._buffer) >= self._piece:
            await self._store_piece(bytes(self._buffer[: self._piece]))
            del self._buffer[: self._piece]

    async def _store_piece(self, content: bytes) -> None:
        await self._store(self._number, content)
        self._number += 1
        self.size += len(content)
