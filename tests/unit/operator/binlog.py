"""Events of a binary log, made as MariaDB writes them."""

import struct
import zlib

from vivero_operator.archiver.events import Event, EventReader, Type
from vivero_operator.archiver.logfile import MAGIC

SERVER_ID = 7
UTF8MB4 = 45
STANDALONE, COMMIT_ID, TRANSACTIONAL, DDL, PREPARED, COMPLETED = 1, 2, 4, 32, 64, 128
SHIPPED, IGNORABLE = 0x20, 0x80


def made(
    code: int, body: bytes = b"", *, at: int = 1000, flags: int = 0, checksum: bool = True, pos: int = 4711
) -> bytes:
    size = 19 + len(body) + 4 * checksum
    whole = struct.pack("<IBIIIH", at, code, SERVER_ID, size, pos, flags) + body
    return whole + struct.pack("<I", zlib.crc32(whole)) * checksum


def description(
    *, checksums: bool = True, created: int = 0, version: int = 4, in_use: bool = False, flags: int = 0
) -> bytes:
    lengths = bytes(
        [56, 13, 0, 8, 0, 18, 0, 4, 4, 4, 4, 18, 0, 0, 92, 0, 4, 26, 8, 0, 0, 0, 8, 8, 8, 2, 0, 0, 0, 10, 10, 10]
    )
    body = struct.pack("<H50sIB", version, b"10.11.19-MariaDB-log", created, 19) + lengths + bytes([checksums])
    raw = made(Type.FORMAT_DESCRIPTION, body, flags=flags)
    return raw[:17] + bytes([raw[17] | in_use]) + raw[18:]


def gtid(sequence: int, flags: int = TRANSACTIONAL, *, domain: int = 0, xid: bytes = b"", at: int = 1000) -> bytes:
    body = struct.pack("<QIB", sequence, domain, flags)
    if flags & COMMIT_ID:
        body += struct.pack("<Q", 99)
    if xid:
        body += struct.pack("<IBB", 1, len(xid), 0) + xid
    return made(Type.GTID, body.ljust(19, b"\0"), at=at)


def query(
    text: bytes | str,
    schema: str = "",
    *,
    at: int = 1000,
    seconds: int = 0,
    sql_mode: int = 0,
    charset: int = UTF8MB4,
    compressed: bool = False,
) -> bytes:
    words = text.encode() if isinstance(text, str) else text
    session = b"\0" + bytes(4) + b"\1" + struct.pack("<Q", sql_mode) + b"\6\3std" + b"\3" + bytes(4)
    session += b"\4" + struct.pack("<HHH", charset, charset, charset)
    if compressed:
        words = b"\x82" + struct.pack(">H", len(words)) + zlib.compress(words)
    body = struct.pack("<IIBHH", 1, seconds, len(schema), 0, len(session)) + session + schema.encode() + b"\0" + words
    return made(Type.QUERY_COMPRESSED if compressed else Type.QUERY, body, at=at)


def table_map(schema: str, table: int = 30, *, at: int = 1000) -> bytes:
    body = table.to_bytes(6, "little") + b"\1\0" + bytes([len(schema)]) + schema.encode() + b"\0" + b"\1t\0\1\3\0\1"
    return made(Type.TABLE_MAP, body, at=at)


def rows(table: int = 30, content: bytes = b"\1\1\0\0\0", *, code: int = Type.WRITE_ROWS_V1, at: int = 1000) -> bytes:
    return made(code, table.to_bytes(6, "little") + b"\1\0" + content, at=at)


def xid(*, at: int = 1000) -> bytes:
    return made(Type.XID, bytes(8), at=at)


def transaction(sequence: int, *schemas: str, content: bytes = b"\1\1\0\0\0") -> list[bytes]:
    changes = [part for schema in schemas for part in (table_map(schema), rows(content=content))]
    return [gtid(sequence), *changes, xid()]


def statement(sequence: int, text: str, schema: str = "") -> list[bytes]:
    return [gtid(sequence, STANDALONE | DDL), query(text, schema)]


def event(raw: bytes) -> Event:
    return EventReader().read(raw)


def file(*events: bytes) -> bytes:
    return b"".join((MAGIC, description(), *events))
