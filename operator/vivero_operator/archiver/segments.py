"""What is in a segment, before it is packed and sealed: the description of the log that it is from, and groups of events.

Each part has a line of JSON before it, which says what it is and how many bytes follow.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from vivero_operator.archiver.groups import Group
from vivero_operator.operations.errors import StepFailedError
from vivero_operator.operations.streams import Reader

_LINE_BYTES: Final = 4096
_PIECE_BYTES: Final = 65_536


@dataclass(frozen=True)
class Logged:
    """A group of events in a segment."""

    gtid: str
    at: int
    """When it was committed, in Unix seconds, rounded up (archive.py says by whose word)."""
    size: int
    """Bytes of all its events, with their checksums."""
    pieces: Iterator[bytes]
    """The events, to be read before the next group is asked for: it may be larger than the memory."""


def description(raw: bytes) -> Iterator[bytes]:
    """The FORMAT_DESCRIPTION that the groups came after."""
    yield _line({"description": len(raw)})
    yield raw


def head(one: Group, at: int) -> bytes:
    """What stands before the events of a group."""
    return _line({"gtid": str(one.gtid), "at": at, "bytes": one.size})


def read(pieces: Iterable[bytes]) -> tuple[bytes, Iterator[Logged]]:
    """The description, and the groups.

    Raises:
        StepFailedError: it is no segment.
    """
    reader = Reader(iter(pieces))
    begin = _told(reader)
    if begin is None or "description" not in begin:
        raise StepFailedError("a segment does not begin with the description of its log")
    described = reader.read(int(begin["description"]))
    if len(described) != int(begin["description"]):
        raise StepFailedError("a segment ends within the description of its log")
    return described, _groups(reader)


def _groups(reader: Reader) -> Iterator[Logged]:
    while (told := _told(reader)) is not None:
        size = int(told["bytes"])
        pieces = _exactly(reader, size)
        yield Logged(str(told["gtid"]), int(told["at"]), size, pieces)
        for _ in pieces:  # what nobody wanted
            pass


def _exactly(reader: Reader, size: int) -> Iterator[bytes]:
    while size:
        piece = reader.read(min(size, _PIECE_BYTES))
        if not piece:
            raise StepFailedError("a segment ends within a group")
        size -= len(piece)
        yield piece


def _told(reader: Reader) -> dict[str, str | int] | None:
    """The next line; None at the end."""
    line = bytearray()
    while (byte := reader.read(1)) and byte != b"\n":
        line += byte
        if len(line) > _LINE_BYTES:
            raise StepFailedError("a segment has a line that is too long")
    if not line:
        return None
    try:
        told: dict[str, str | int] = json.loads(line)
    except ValueError as error:
        raise StepFailedError("a segment has a line that is none of ours") from error
    return told


def _line(told: dict[str, str | int]) -> bytes:
    return json.dumps(told).encode() + b"\n"
