"""What is in the events of a binary log that say where a group begins, and whose schemas it changes."""

import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from vivero_operator.archiver.events import MAX_EVENT_BYTES, Event, Type, UnknownEventError

_GTID: Final = struct.Struct("<QIB")
_STANDALONE: Final = 0x01
_COMMIT_ID: Final = 0x02
_PREPARED_XA: Final = 0x40
_COMPLETED_XA: Final = 0x80
_QUERY: Final = struct.Struct("<IIBHH")
_COMPRESSED_LENGTH: Final = 0x07
_COMPRESSED_METHOD: Final = 0x70
_TABLE_BYTES: Final = 6
_ROWS_BYTES: Final = 8
"""A table's number, and flags."""


@dataclass(frozen=True, slots=True, order=True)
class Gtid:
    """Names a group of events, in all servers."""

    domain: int
    server: int
    sequence: int

    def __str__(self) -> str:
        return f"{self.domain}-{self.server}-{self.sequence}"


@dataclass(frozen=True, slots=True)
class Beginning:
    """A GTID event: how a group begins."""

    gtid: Gtid
    standalone: bool
    """The group is this event and one statement."""
    prepared: bool
    """The group prepares an XA transaction."""
    completed: bool
    """The group commits or rolls back an XA transaction that another one prepared."""
    xid: bytes
    """Of the XA transaction."""

    @classmethod
    def of(cls, event: Event) -> "Beginning":
        body = event.body
        at = _GTID.size
        if len(body) < at:
            raise event.damaged("too short")
        sequence, domain, flags = _GTID.unpack_from(body)
        if flags & _COMMIT_ID:
            at += 8
        xid = b""
        if flags & (_PREPARED_XA | _COMPLETED_XA):
            # format 4, two lengths of 1, both parts
            if len(body) < at + 6 or len(body) < at + 6 + body[at + 4] + body[at + 5]:
                raise event.damaged("too short")
            xid = bytes(body[at : at + 6 + body[at + 4] + body[at + 5]])
        return cls(
            Gtid(domain, event.server_id, sequence),
            standalone=bool(flags & _STANDALONE),
            prepared=bool(flags & _PREPARED_XA),
            completed=bool(flags & _COMPLETED_XA),
            xid=xid,
        )


@dataclass(frozen=True, slots=True)
class Query:
    """A QUERY event: a statement, and what it depends on."""

    schema: str
    """The session's default schema; empty without one."""
    text: bytes
    sql_mode: int
    charset: int
    """Number of the collation of the character set that the statement is written in."""
    seconds: int
    """How long it had run when it was logged."""

    @classmethod
    def of(cls, event: Event) -> "Query":
        body = event.body
        if len(body) < _QUERY.size:
            raise event.damaged("too short")
        _, seconds, schema_bytes, _, variables_bytes = _QUERY.unpack_from(body)
        schema_at = _QUERY.size + variables_bytes
        text_at = schema_at + schema_bytes + 1
        if len(body) < text_at or body[text_at - 1] != 0:
            raise event.damaged("too short")
        try:
            sql_mode, charset = _session(bytes(body[_QUERY.size : schema_at]))
        except (IndexError, struct.error, KeyError) as error:
            raise event.damaged("its session's settings cannot be read") from error
        text = bytes(body[text_at:])
        if event.type is Type.QUERY_COMPRESSED:
            text = _decompressed(event, text)
        return cls(decoded(bytes(body[schema_at : text_at - 1])), text, sql_mode, charset, seconds)


@lru_cache(maxsize=256)  # sessions have few different settings
def _session(variables: bytes) -> tuple[int, int]:
    """(sql_mode, character set of the client), which the server writes among the first.

    Raises:
        IndexError, struct.error, KeyError: they are not there, or behind one that is not known.
    """
    sql_mode, at = None, 0
    while True:
        code = variables[at]
        at += 1
        match code:
            case 1:
                (sql_mode,) = struct.unpack_from("<Q", variables, at)
                at += 8
            case 4:
                (charset,) = struct.unpack_from("<H", variables, at)
                if sql_mode is None:
                    raise KeyError("sql_mode")
                return sql_mode, charset
            case 2:  # a catalog with an end
                at += 1 + variables[at] + 1
            case 6:  # a catalog
                at += 1 + variables[at]
            case _:
                at += {0: 4, 3: 4}[code]


def _decompressed(event: Event, packed: bytes) -> bytes:
    """A first byte with method and the length of a length, that length, and what zlib made."""
    if not packed or packed[0] & _COMPRESSED_METHOD:
        raise UnknownEventError(f"{event.where}: an unknown compression")
    at = 1 + (packed[0] & _COMPRESSED_LENGTH)
    size = int.from_bytes(packed[1:at], "big")
    if size > MAX_EVENT_BYTES:
        raise event.damaged(f"impossible size {size} of its statement")
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(packed[at:], size + 1)
    except zlib.error as error:
        raise event.damaged("its statement cannot be decompressed") from error
    if len(text) != size or not unpacker.eof:
        raise event.damaged("its statement has another size than it says")
    return text


def table_map(event: Event) -> tuple[int, str]:
    """(number of the table in the rows that follow, its schema)."""
    body = event.body
    name_at = _ROWS_BYTES + 1
    if len(body) < name_at or len(body) <= (end := name_at + body[_ROWS_BYTES]) or body[end] != 0:
        raise event.damaged("too short")
    return int.from_bytes(body[:_TABLE_BYTES], "little"), decoded(bytes(body[name_at:end]))


def table_of_rows(event: Event) -> int:
    """The number of the table that these rows belong to."""
    if len(event.body) < _ROWS_BYTES:
        raise event.damaged("too short")
    return int.from_bytes(event.body[:_TABLE_BYTES], "little")


def decoded(name: bytes) -> str:
    """A name of the log, whatever its bytes are: only those of ASCII are somebody's."""
    return name.decode("utf-8", "surrogateescape")
