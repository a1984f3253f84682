"""Events of MariaDB's binary log (version 4): their headers, types and checksums. bodies.py has what is in them.

An event is a header of 19 bytes, a body, and a checksum of 4 bytes where the log's first event says so. Rows are never
decoded. Whatever is not known here is an error, for a log that is only half understood would restore wrong data.
"""

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from vivero_core.errors import ViveroError

Raw = bytes | memoryview
"""An event's bytes, which may be those of a file."""
HEADER_BYTES: Final = 19
CHECKSUM_BYTES: Final = 4
MAX_EVENT_BYTES: Final = 1024 * 1024 * 1024
"""What a replica takes. A change of one row has both its images, each as large as the server's max_allowed_packet."""
_HEADER: Final = struct.Struct("<IBIIIH")
_IN_USE: Final = 0x01
_FLAGS_AT: Final = 17
_ARTIFICIAL: Final = 0x20
_IGNORABLE: Final = 0x80
_VERSION: Final = 4


class BinlogError(ViveroError):
    """The binary log cannot be read, or cannot be cut by tenant. Says where; holds no data."""


class CutEventError(BinlogError):
    """The bytes end within an event: the log was cut there, or its server still writes it."""


class DamagedEventError(BinlogError):
    """The bytes are not what the server wrote: checksum, length, or a body that is too short for its fields."""


class UnknownEventError(BinlogError):
    """An event that this program does not know, or one that no row-based log holds."""


class Type(IntEnum):
    """The events that a row-based log of MariaDB holds."""

    QUERY = 2
    STOP = 3
    ROTATE = 4
    INTVAR = 5
    RAND = 13
    USER_VAR = 14
    FORMAT_DESCRIPTION = 15
    XID = 16
    TABLE_MAP = 19
    WRITE_ROWS_V1 = 23
    UPDATE_ROWS_V1 = 24
    DELETE_ROWS_V1 = 25
    HEARTBEAT = 27
    WRITE_ROWS = 30
    UPDATE_ROWS = 31
    DELETE_ROWS = 32
    XA_PREPARE = 38
    ANNOTATE_ROWS = 160
    BINLOG_CHECKPOINT = 161
    GTID = 162
    GTID_LIST = 163
    START_ENCRYPTION = 164
    QUERY_COMPRESSED = 165
    WRITE_ROWS_COMPRESSED_V1 = 166
    UPDATE_ROWS_COMPRESSED_V1 = 167
    DELETE_ROWS_COMPRESSED_V1 = 168
    WRITE_ROWS_COMPRESSED = 169
    UPDATE_ROWS_COMPRESSED = 170
    DELETE_ROWS_COMPRESSED = 171


_TYPES: Final = {int(type_): type_ for type_ in Type}
QUERIES: Final = frozenset({Type.QUERY, Type.QUERY_COMPRESSED})
ROWS: Final = frozenset(type_ for type_ in Type if "_ROWS" in type_.name and type_ is not Type.ANNOTATE_ROWS)
_REFUSED: Final = {
    1: "of a server before MySQL 5.0",
    26: "INCIDENT: the server lost changes here",
    33: "a GTID of MySQL",
    34: "a GTID of MySQL",
    **dict.fromkeys((6, 8, 9, 10, 11, 12, 17, 18), "LOAD DATA logged as a statement: binlog_format has to be ROW"),
}
"""Why, of types that people meet."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event as the server wrote it."""

    raw: Raw
    """Header, body and checksum."""
    type: Type | None
    """None: unknown, and flagged as one that may be ignored."""
    timestamp: int
    """Unix seconds at which its statement began, or whatever its session has set TIMESTAMP to."""
    server_id: int
    log_pos: int
    """Where the next event begins in the server's file; 0 in one that the server made for the connection alone."""
    flags: int
    body_end: int

    @property
    def body(self) -> memoryview:
        return memoryview(self.raw)[HEADER_BYTES : self.body_end]

    @property
    def artificial(self) -> bool:
        """Made for the connection: in no file."""
        return bool(self.flags & _ARTIFICIAL)

    def damaged(self, what: str) -> DamagedEventError:
        return DamagedEventError(f"{self.where}: {what}")

    @property
    def where(self) -> str:
        """For messages."""
        name = self.type.name if self.type is not None else f"event of type {self.raw[4]}"
        return f"{name} before position {self.log_pos} of server {self.server_id}"


class EventReader:
    """Turns bytes into events; remembers whether the log has checksums."""

    def __init__(self, *, checksums: bool = True) -> None:
        """`checksums` is for what comes before the first FORMAT_DESCRIPTION: the ROTATE that begins a connection."""
        self.checksums = checksums

    def read(self, raw: Raw) -> Event:
        """The event of these bytes, all of which belong to it.

        Raises:
            CutEventError: there are fewer bytes than its header says.
            DamagedEventError: its checksum or its length is wrong.
            UnknownEventError: it may not be ignored, and is not known.
        """
        if len(raw) < HEADER_BYTES:
            raise CutEventError(f"an event of {len(raw)} bytes has no header")
        timestamp, code, server_id, size, log_pos, flags = _HEADER.unpack_from(raw)
        describes = code == Type.FORMAT_DESCRIPTION
        # This one has a checksum whatever it says of the others.
        end = size - CHECKSUM_BYTES if describes or self.checksums else size
        event = Event(raw, _TYPES.get(code), timestamp, server_id, log_pos, flags, end)
        if not HEADER_BYTES <= end <= size <= MAX_EVENT_BYTES:
            raise event.damaged(f"impossible size {size}")
        if len(raw) < size:
            raise CutEventError(f"{event.where}: {len(raw)} of {size} bytes")
        if len(raw) > size:
            raise event.damaged(f"{len(raw)} bytes instead of {size}")
        if end < size and _checksum(raw, end, describes=describes) != raw[end:]:
            raise event.damaged("wrong checksum")
        if event.type is None and not flags & _IGNORABLE:
            raise UnknownEventError(f"{event.where}: {_REFUSED.get(code, 'unknown')}")
        if describes:
            self.checksums = Format.of(event).checksums
        return event


def _checksum(raw: Raw, end: int, *, describes: bool) -> bytes:
    covered = closed(raw)[:end] if describes else memoryview(raw)[:end]
    return struct.pack("<I", zlib.crc32(covered))


def closed(description: Raw) -> bytes:
    """A FORMAT_DESCRIPTION of a file that no server writes any more. Its checksum is of this form, also while one does."""
    flags = description[_FLAGS_AT] & ~_IN_USE
    return bytes(description[:_FLAGS_AT]) + bytes([flags]) + bytes(description[_FLAGS_AT + 1 :])


@dataclass(frozen=True, slots=True)
class Format:
    """A FORMAT_DESCRIPTION: which server wrote the log, and how."""

    server_version: str
    created: int
    """Unix seconds of the server's start in the first log after it, else 0."""
    checksums: bool

    @classmethod
    def of(cls, event: Event) -> "Format":
        body = event.body
        # version 2, server version 50, created 4, header length 1, lengths of types, algorithm of checksums 1
        if len(body) < 2 + 50 + 4 + 1 + Type.FORMAT_DESCRIPTION + 1:
            raise event.damaged("too short")
        version, created, header_bytes = (
            int.from_bytes(body[:2], "little"),
            int.from_bytes(body[52:56], "little"),
            body[56],
        )
        algorithm = body[-1]
        if version != _VERSION or header_bytes != HEADER_BYTES:
            raise UnknownEventError(
                f"{event.where}: a binary log of version {version} with headers of {header_bytes} bytes"
            )
        if algorithm not in (0, 1):
            raise UnknownEventError(f"{event.where}: unknown algorithm {algorithm} of checksums")
        return cls(bytes(body[2:52]).rstrip(b"\0").decode("ascii", "replace"), created, algorithm == 1)
