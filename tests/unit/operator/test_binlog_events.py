"""Events of a binary log are read as MariaDB writes them; one that is cut, damaged or unknown is an error."""

import io
from contextlib import suppress
from itertools import islice

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from unit.operator import binlog
from vivero_operator.archiver.bodies import Beginning, Gtid, Query, table_map, table_of_rows
from vivero_operator.archiver.events import (
    MAX_EVENT_BYTES,
    ROWS,
    BinlogError,
    CutEventError,
    DamagedEventError,
    EventReader,
    Format,
    Type,
    UnknownEventError,
)
from vivero_operator.archiver.logfile import MAGIC, events_in, events_of_file, file_of

EVERY = [
    binlog.description(created=5),
    binlog.made(Type.GTID_LIST, bytes(4)),
    binlog.made(Type.BINLOG_CHECKPOINT, bytes(4)),
    *binlog.transaction(1, "a", "b"),
    *binlog.statement(2, "CREATE TABLE t (a int)", "a"),
    binlog.gtid(3, binlog.STANDALONE | binlog.DDL),
    binlog.query("DROP TABLE a.t", compressed=True),
    binlog.made(Type.STOP),
]


def parsed(raw: bytes) -> None:
    """Read an event and what is in it, as far as anything here reads it."""
    event = binlog.event(raw)
    if event.type is Type.GTID:
        Beginning.of(event)
    elif event.type in (Type.QUERY, Type.QUERY_COMPRESSED):
        Query.of(event)
    elif event.type is Type.TABLE_MAP:
        table_map(event)
    elif event.type in ROWS:
        table_of_rows(event)


def test_a_header() -> None:
    event = binlog.event(binlog.made(Type.XID, bytes(8), at=77, flags=binlog.SHIPPED, pos=99))
    assert (event.type, event.timestamp, event.server_id, event.log_pos) == (Type.XID, 77, binlog.SERVER_ID, 99)
    assert event.artificial
    assert bytes(event.body) == bytes(8)


def test_the_first_event_says_whether_others_have_checksums() -> None:
    reader = EventReader()
    reader.read(binlog.description(checksums=False))
    assert bytes(reader.read(binlog.made(Type.XID, bytes(8), checksum=False)).body) == bytes(8)
    reader.read(binlog.description(checksums=True))
    with pytest.raises(DamagedEventError, match="checksum"):
        reader.read(binlog.made(Type.XID, bytes(12), checksum=False))


def test_a_file_in_use_has_the_checksum_of_one_that_is_not() -> None:
    event = binlog.event(binlog.description(created=5, in_use=True))
    assert Format.of(event) == Format("10.11.19-MariaDB-log", 5, checksums=True)
    assert b"".join(file_of(event, [])) == MAGIC + binlog.description(created=5)


@pytest.mark.parametrize("version", [1, 3, 5])
def test_another_version_of_the_format_is_unknown(version: int) -> None:
    with pytest.raises(UnknownEventError, match=f"version {version}"):
        binlog.event(binlog.description(version=version))


@pytest.mark.parametrize(
    ("code", "why"), [(0, "unknown"), (26, "lost"), (17, "binlog_format"), (33, "MySQL"), (99, "unknown")]
)
def test_an_unknown_event_is_an_error_unless_it_says_otherwise(code: int, why: str) -> None:
    with pytest.raises(UnknownEventError, match=why):
        binlog.event(binlog.made(code))
    assert binlog.event(binlog.made(code, flags=binlog.IGNORABLE)).type is None


def test_how_a_group_begins() -> None:
    beginning = Beginning.of(binlog.event(binlog.gtid(9, binlog.STANDALONE | binlog.COMMIT_ID, domain=3)))
    gtid = Gtid(3, binlog.SERVER_ID, 9)
    assert beginning == Beginning(gtid, standalone=True, prepared=False, completed=False, xid=b"")
    assert str(beginning.gtid) == "3-7-9"
    prepared = Beginning.of(binlog.event(binlog.gtid(9, binlog.PREPARED | binlog.COMMIT_ID, xid=b"one")))
    completed = Beginning.of(binlog.event(binlog.gtid(10, binlog.COMPLETED, xid=b"one")))
    assert (prepared.prepared, completed.completed) == (True, True)
    assert prepared.xid == completed.xid != b""


@pytest.mark.parametrize("compressed", [False, True])
def test_a_statement_and_its_session(*, compressed: bool) -> None:
    text = "CREATE TABLE `täble` (a int) -- 🌱" + "x" * 300
    raw = binlog.query(text, "own", sql_mode=4, charset=33, seconds=12, compressed=compressed)
    assert Query.of(binlog.event(raw)) == Query("own", text.encode(), 4, 33, 12)


def test_a_compressed_statement_that_grows_is_refused() -> None:
    raw = binlog.query("x" * 9000, compressed=True)
    small = raw.replace(b"\x82" + (9000).to_bytes(2, "big"), b"\x82" + (8999).to_bytes(2, "big"))[19:-4]
    with pytest.raises(DamagedEventError, match="another size"):
        Query.of(binlog.event(binlog.made(Type.QUERY_COMPRESSED, small)))


def test_a_table_and_its_rows() -> None:
    assert table_map(binlog.event(binlog.table_map("vtone", 0x10203040))) == (0x10203040, "vtone")
    assert table_of_rows(binlog.event(binlog.rows(0x10203040))) == 0x10203040


def test_a_file_is_read_event_by_event() -> None:
    content = MAGIC + b"".join(EVERY)
    assert [event.raw for event in events_of_file(io.BytesIO(content).read)] == EVERY


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "does not begin"),
        (b"\xfebim" + binlog.description(), "does not begin"),
        (MAGIC + binlog.xid(), "begins with one FORMAT_DESCRIPTION"),
        (binlog.file(binlog.description()), "begins with one FORMAT_DESCRIPTION"),
        (binlog.file(binlog.made(Type.START_ENCRYPTION, bytes(17))), "encrypted"),
        (binlog.file(b"\0" * 19), "impossible size 0"),
        (binlog.file(b"\0" * 9 + (MAX_EVENT_BYTES + 1).to_bytes(4, "little") + b"\0" * 6), "impossible size"),
    ],
)
def test_what_is_no_file_of_a_binary_log(content: bytes, why: str) -> None:
    with pytest.raises(BinlogError, match=why):
        list(events_of_file(io.BytesIO(content).read))


@given(st.data())
def test_a_file_cut_at_any_byte_gives_whole_events_or_an_error(data: st.DataObject) -> None:
    content = MAGIC + b"".join(EVERY)
    end = data.draw(st.integers(len(MAGIC), len(content)))
    ends = [len(MAGIC) + sum(map(len, EVERY[:count])) for count in range(len(EVERY) + 1)]
    events = events_of_file(io.BytesIO(content[:end]).read)
    whole = sum(one <= end for one in ends) - 1
    assert [event.raw for event in islice(events, whole)] == EVERY[:whole]
    if end in ends:
        assert next(events, None) is None
    else:
        with pytest.raises(CutEventError):
            next(events)


@given(st.sampled_from(EVERY), st.data())
def test_an_event_cut_anywhere_is_cut(raw: bytes, data: st.DataObject) -> None:
    with pytest.raises(CutEventError):
        binlog.event(raw[: data.draw(st.integers(0, len(raw) - 1))])


@given(st.sampled_from(EVERY), st.data())
def test_an_event_with_a_flipped_bit_is_not_read(raw: bytes, data: st.DataObject) -> None:
    bit = data.draw(st.integers(0, 8 * len(raw) - 1))
    flipped = bytearray(raw)
    flipped[bit // 8] ^= 1 << bit % 8
    if raw[4] == Type.FORMAT_DESCRIPTION and bit == 17 * 8:
        assert binlog.event(bytes(flipped)).raw == bytes(flipped)  # in use, or not any more
        return
    with pytest.raises(BinlogError):
        binlog.event(bytes(flipped))


@given(st.sampled_from(EVERY), st.data())
def test_a_body_of_any_length_is_read_or_damaged(raw: bytes, data: st.DataObject) -> None:
    """With the right checksum: what is in a body is never read beyond its end."""
    body = raw[19:-4]
    short = body[: data.draw(st.integers(0, len(body)))] + data.draw(st.binary(max_size=20))
    with suppress(DamagedEventError, UnknownEventError):
        parsed(binlog.made(raw[4], short))


@given(st.binary(max_size=200))
@example(bytes(19))
def test_a_stream_of_anything_ends_in_events_or_an_error(content: bytes) -> None:
    read = bytearray()
    try:
        for raw in events_in(io.BytesIO(content).read):
            read += raw
    except (CutEventError, DamagedEventError):
        assert content.startswith(read)
    else:
        assert read == content
