"""The binary log of a server as it is written, over the replication protocol, as MariaDB's replicas read it.

Protocol: https://mariadb.com/kb/en/replication-protocol/. The server decrypts and decompresses nothing for us but its own
encryption of log files, and needs no file of its own to be read.
"""

import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from mmap import ACCESS_READ, mmap
from queue import SimpleQueue
from tempfile import TemporaryFile
from typing import Final, Self

import pymysql
from pymysql.connections import Connection
from pymysql.cursors import Cursor
from pymysql.protocol import MysqlPacket
from vivero_core.backends.tls import client_context
from vivero_core.errors import ViveroError

from vivero_operator.archiver.events import Raw

_REGISTER_SLAVE: Final = 0x15
_BINLOG_DUMP: Final = 0x12
_HEARTBEAT_NANOSECONDS: Final = 1_000_000_000
_START: Final = 4
"""Of a log file: its first event."""
_CONNECT_SECONDS: Final = 10
_SILENCE_SECONDS: Final = 15
"""The server says something every second; so long without a word is a broken connection."""
_ON_TIME_SECONDS: Final = 0.02
"""An answer that comes so soon after a second has begun is of that second."""
_LOG_IS_GONE: Final = 1236
_HEADER_BYTES: Final = 4
_PIECE_BYTES: Final = (1 << 24) - 1
"""A packet that is larger comes in several, of which the last is smaller."""
_CHUNK_BYTES: Final = 1 << 18
_OK: Final = 0
_ERROR: Final = 0xFF


class StreamError(ViveroError):
    """The log cannot be read now; another attempt may succeed."""


class LogGoneError(ViveroError):
    """The server no longer has the part of its log that comes next: a gap."""


@dataclass(frozen=True)
class Source:
    """The server, and who reads its log."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    authority: str
    """PEM text."""
    server_id: int
    """Ours: unique among the server's replicas."""


@dataclass(frozen=True)
class Tick:
    """What a server had committed by a moment, as it says itself."""

    at: float
    """Unix seconds by the server's clock: soon after a second has begun, and later where somebody was busy."""
    sequences: dict[int, int]
    """By domain, the number of the last transaction."""

    @property
    def second(self) -> int:
        return int(self.at)

    @property
    def ends(self) -> int:
        """The second until which all of it was committed, rounded up."""
        return self.second if self.at - self.second < _ON_TIME_SECONDS else self.second + 1


class Ticker:
    """Asks the server at every second how far its log is, from a thread; a context manager.

    Only the server knows when a transaction was committed: an event's own time is whatever its session says, and when we
    read it depends on how busy we are.
    """

    def __init__(self, source: Source) -> None:
        self._connection = _connected(source)
        self._ahead = 0.0
        self._found: SimpleQueue[Tick | StreamError] = SimpleQueue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._found.put(self._ask())
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(2 * _SILENCE_SECONDS)
        self._connection.close()

    @property
    def now(self) -> float:
        """Unix seconds by the server's clock."""
        return time.time() + self._ahead

    def ticks(self) -> Iterator[Tick]:
        """Those since the last call. Raises StreamError when the server no longer answers."""
        while not self._found.empty():
            found = self._found.get()
            if isinstance(found, StreamError):
                raise found
            yield found

    def _run(self) -> None:
        while not self._stopping.wait(1.0 - self.now % 1.0):
            try:
                self._found.put(self._ask())
            except StreamError as error:
                self._found.put(error)
                return

    def _ask(self) -> Tick:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute("SELECT UNIX_TIMESTAMP(SYSDATE(6)), @@gtid_binlog_pos")
                at, position = cursor.fetchone() or (0, "")
        except pymysql.MySQLError as error:
            raise StreamError(f"asking the server for its position failed: error {error.args[0]}") from error
        self._ahead = float(at) - time.time()
        gtids = (gtid.split("-") for gtid in str(position or "").split(",") if gtid)
        return Tick(float(at), {int(domain): int(sequence) for domain, _, sequence in gtids})


class Stream:
    """A connection that the server writes its log to; a context manager."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._connection = _connected(source)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # Not `close`, which says good-bye and waits: the server writes on and reads nothing.
        self._connection._force_close()  # type: ignore[attr-defined]  # noqa: SLF001

    def events(self, position: str) -> Iterator[Raw]:
        """Every event after this GTID position, each as it was logged, for ever; every second at least a heartbeat.

        One that came in several pieces is in a file, and so in no memory of its own.

        Args:
            position: GTIDs with commas between; empty for all that the server still has.

        Raises:
            LogGoneError: the server no longer has what comes next.
            StreamError: the connection broke.
        """
        try:
            with self._connection.cursor() as cursor:
                cursor.execute("SET @master_binlog_checksum = 'CRC32', @mariadb_slave_capability = 4")
                cursor.execute("SET @master_heartbeat_period = %s", (_HEARTBEAT_NANOSECONDS,))
                if position:
                    cursor.execute("SET @slave_connect_state = %s, @slave_gtid_strict_mode = 1", (position,))
                # Else from the oldest file. A state without a GTID would ask for the very first transaction, and be
                # refused once the file with that is gone.
            self._send(_REGISTER_SLAVE, _registration(self._source.server_id))
            self._receive()
            self._send(_BINLOG_DUMP, struct.pack("<IHI", _START, 0, self._source.server_id))
            while True:
                yield self._receive()[1:]
        except pymysql.MySQLError as error:
            if error.args[0] == _LOG_IS_GONE:
                raise LogGoneError(
                    f"the server has no log after {position or 'its beginning'}: {error.args[1]}"
                ) from error
            raise StreamError(f"reading the log of {self._source.host} failed: error {error.args[0]}") from error
        except OSError as error:
            raise StreamError(f"reading the log of {self._source.host} failed: {type(error).__name__}") from error

    # pymysql has these for commands of its own alone.
    def _send(self, command: int, body: bytes) -> None:
        self._connection._execute_command(command, body)  # type: ignore[attr-defined]  # noqa: SLF001

    def _receive(self) -> Raw:
        """The next packet, of one piece or of several."""
        size = self._next_size()
        data = self._received(size) if size < _PIECE_BYTES else self._collected(size)
        if data[0] == _ERROR:
            MysqlPacket(bytes(data), self._connection.encoding).raise_for_error()
        if data[0] != _OK:
            raise StreamError(f"{self._source.host} ended its log")
        return data

    def _next_size(self) -> int:
        """Of the next piece of a packet, by its header."""
        header = self._received(_HEADER_BYTES)
        if header[3] != self._connection._next_seq_id:  # type: ignore[attr-defined]  # noqa: SLF001
            raise StreamError(f"a piece of a packet of {self._source.host} is missing")
        self._connection._next_seq_id = (header[3] + 1) % 256  # type: ignore[attr-defined]  # noqa: SLF001
        return int.from_bytes(header[:3], "little")

    def _collected(self, size: int) -> Raw:
        """A packet whose first piece has this size, and is not its last."""
        with TemporaryFile() as file:
            while True:
                left = size
                while left:
                    left -= file.write(self._received(min(left, _CHUNK_BYTES)))
                if size < _PIECE_BYTES:
                    break
                size = self._next_size()
            file.flush()
            # Its pages are the file's, which the kernel drops when it needs the room.
            return memoryview(mmap(file.fileno(), 0, access=ACCESS_READ))

    def _received(self, size: int) -> bytes:
        found: bytes = self._connection._read_bytes(size)  # type: ignore[attr-defined]  # noqa: SLF001
        return found


def _connected(source: Source) -> "Connection[Cursor]":
    try:
        return pymysql.connect(
            host=source.host,
            port=source.port,
            user=source.user,
            password=source.password,
            ssl=client_context(source.authority),
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_SILENCE_SECONDS,
            write_timeout=_SILENCE_SECONDS,
            autocommit=True,
        )
    except pymysql.MySQLError as error:
        raise StreamError(f"logging in to {source.host} failed: error {error.args[0]}") from error


def _registration(server_id: int) -> bytes:
    """Without a host, user, password or port: nobody connects to us."""
    return struct.pack("<IBBBHII", server_id, 0, 0, 0, 0, 0, 0)
