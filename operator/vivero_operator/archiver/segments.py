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


@dataclass(frozen=True)
class Logged:
    """A group of events in a segment."""

    gtid: str
    at: int
    """When it was committed, in Unix seconds, rounded up (archive.py says by whose word)."""
    raw: bytes
    """Its events, with their checksums."""


def description(raw: bytes) -> Iterator[bytes]:
    """The FORMAT_DESCRIPTION that the groups came after."""
    yield _line({"description": len(raw)})
    yield raw


def group(one: Group, at: int) -> Iterator[bytes]:
    yield _line({"gtid": str(one.gtid), "at": at, "bytes": one.size})
    yield from one.events()


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
        raw = reader.read(int(told["bytes"]))
        if len(raw) != int(told["bytes"]):
            raise StepFailedError("a segment ends within a group")
        yield Logged(str(told["gtid"]), int(told["at"]), raw)


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
