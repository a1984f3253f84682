"""Files of a binary log: bytes to events, and groups of events to a file that MariaDB's SQL thread replays.

Events are written as they came. The SQL thread does not look at the position that an event had in its server's file, so
nothing is rewritten, and the checksum that the server made protects an event until it is replayed.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from vivero_operator.archiver.events import (
    HEADER_BYTES,
    MAX_EVENT_BYTES,
    BinlogError,
    CutEventError,
    DamagedEventError,
    Event,
    EventReader,
    Type,
    UnknownEventError,
    closed,
)

MAGIC: Final = b"\xfebin"
Read = Callable[[int], bytes]
"""Fewer bytes than asked for only at the end."""


def events_in(read: Read) -> Iterator[bytes]:
    """The events of a stream without its magic, each with the length that its header says.

    Raises:
        CutEventError: the stream ends within an event.
        DamagedEventError: a length that no event has.
    """
    while header := read(HEADER_BYTES):
        if len(header) < HEADER_BYTES:
            raise CutEventError("the log ends within the header of an event")
        size = int.from_bytes(header[9:13], "little")
        if not HEADER_BYTES <= size <= MAX_EVENT_BYTES:
            raise DamagedEventError(f"an event of impossible size {size}")
        rest = read(size - HEADER_BYTES)
        if len(rest) < size - HEADER_BYTES:
            raise CutEventError("the log ends within an event")
        yield header + rest


def events_of_file(read: Read) -> Iterator[Event]:
    """The events of a server's file.

    Raises:
        BinlogError: it is no binary log, it is encrypted, or an event is cut, damaged or unknown.
    """
    if read(len(MAGIC)) != MAGIC:
        raise BinlogError("the file does not begin as a binary log")
    reader = EventReader()
    for number, raw in enumerate(events_in(read)):
        event = reader.read(raw)
        if (number == 0) != (event.type is Type.FORMAT_DESCRIPTION):
            raise UnknownEventError(f"{event.where}: a binary log begins with one FORMAT_DESCRIPTION")
        if event.type is Type.START_ENCRYPTION:
            raise UnknownEventError(f"{event.where}: the file is encrypted; its server decrypts it for a replica")
        yield event


def file_of(description: Event, events: Iterable[bytes]) -> Iterator[bytes]:
    """A file with these events of whole groups; `description` is the FORMAT_DESCRIPTION that they came after."""
    yield MAGIC
    yield closed(description.raw)
    yield from events
