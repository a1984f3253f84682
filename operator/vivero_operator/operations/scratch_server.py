"""A throw-away MariaDB in a folder, where a tenant's data is brought back to a second before anybody else sees it.

A binary log is replayed by the server's own SQL thread, as a relay log: that alone gives the rows and tables that the
source had. Only whoever may open the folder reaches the server: it has a Unix socket, no network and no accounts, so that
a DEFINER that does not exist here is no obstacle either. A step that was killed leaves a folder that `remove` takes away.
"""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pymysql
from pymysql.connections import Connection
from pymysql.constants import ER
from pymysql.cursors import DictCursor
from vivero_core.backends.mariadb import statements as sql

from vivero_operator.operations.program import StepFailedError

PROGRAM: Final = Path("/usr/sbin/mariadbd")
_SHARE: Final = Path("/usr/share/mysql")
_START_SECONDS: Final = 120.0
_STOP_SECONDS: Final = 120.0
_STATEMENT_SECONDS: Final = 3600
_STALL_SECONDS: Final = 1800.0
"""Without any progress of a replay: one ALTER TABLE of a large table is none."""
_PAUSE_SECONDS: Final = 0.1
_LOG_TAIL: Final = 1024
_SERVER_ID: Final = 2**32 - 1
_RELAY: Final = "replay"
_WAITING: Final = "Slave has read all relay log"
_HANDLER_ERROR: Final = re.compile(r"handler error (HA_ERR_\w+)")
_ERROR_NAMES: Final = {number: name for name, number in vars(ER).items() if isinstance(number, int) and number > 1}

_OPTIONS: Final = (
    # Nobody but this program.
    "--skip-networking",
    "--skip-grant-tables",
    "--skip-log-bin",
    "--event-scheduler=OFF",
    "--local-infile=OFF",
    "--symbolic-links=OFF",
    # What is lost with the server is made again from the backup.
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=OFF",
    "--sync-relay-log-info=0",
    # Memory.
    "--innodb-buffer-pool-size=48M",
    "--innodb-log-file-size=32M",
    "--innodb-log-buffer-size=4M",
    "--innodb-temp-data-file-path=ibtmp1:1M:autoextend",
    "--key-buffer-size=64K",
    "--aria-pagecache-buffer-size=2M",
    "--performance-schema=OFF",
    "--table-open-cache=200",
    "--table-definition-cache=400",
    "--max-connections=5",
    "--thread-cache-size=0",
    "--query-cache-size=0",
    "--max-allowed-packet=64M",
    # A pod's profile of system calls refuses what native I/O needs.
    "--innodb-use-native-aio=OFF",
    # The replay: one thread (two have crashed the server), and every event whatever server wrote it.
    f"--server-id={_SERVER_ID}",
    "--slave-parallel-threads=0",
    "--replicate-same-server-id=ON",
    "--skip-slave-start",
    f"--relay-log={_RELAY}",
    f"--relay-log-index={_RELAY}.index",
    "--relay-log-recovery=OFF",
    "--slave-max-allowed-packet=1G",
)


class ScratchServer:
    """A server that runs, by `running`."""

    def __init__(self, folder: Path, process: "subprocess.Popen[bytes]") -> None:
        self._folder = folder
        self._process = process

    @property
    def option_file(self) -> Path:
        """For mariadb-dump."""
        return self._folder / "client.cnf"

    def connection(self, schema: str | None = None) -> "Connection[Any]":
        """To be closed by the caller."""
        return pymysql.connect(
            unix_socket=str(_socket(self._folder)),
            user="root",
            database=schema,
            charset="utf8mb4",
            autocommit=True,
            read_timeout=_STATEMENT_SECONDS,
            write_timeout=_STATEMENT_SECONDS,
        )

    def create_schema(self, name: str) -> None:
        """An empty schema as the operator makes them."""
        statement, arguments = sql.create_database(name)
        with closing(self.connection()) as connection, connection.cursor() as cursor:
            cursor.execute(statement, arguments)

    def load(self, schema: str, statements: Iterable[bytes]) -> None:
        """Run statements of a dump.

        Raises:
            StepFailedError: one failed.
        """
        with closing(self.connection(schema)) as connection:
            for statement in statements:
                try:
                    connection.query(statement)
                except pymysql.MySQLError as error:
                    raise StepFailedError(f"loading {schema} failed: {_named(error.args[0])}") from error

    def replay(self, logs: Sequence[Path], schemas: Iterable[str]) -> None:
        """Replay these files of a binary log in their order, as far as they concern these schemas; the files are moved.

        Each ends with a whole group of events, and all of them belong to one server.

        Raises:
            StepFailedError: an event could not be applied, a file is damaged, or nothing went on for too long.
        """
        if not logs:
            return
        names = [f"{_RELAY}.{number:06}" for number in range(1, len(logs) + 1)]
        for log, name in zip(logs, names, strict=True):
            shutil.move(log, _data(self._folder) / name)
        (_data(self._folder) / f"{_RELAY}.index").write_text("".join(f"./{name}\n" for name in names))
        end = (names[-1], (_data(self._folder) / names[-1]).stat().st_size)
        with closing(self.connection()) as connection, connection.cursor(DictCursor) as cursor:
            cursor.execute("SET GLOBAL replicate_wild_do_table = %s", (",".join(f"{name}.%" for name in schemas),))
            cursor.execute(
                "CHANGE MASTER TO MASTER_HOST = 'none', MASTER_USER = 'none', MASTER_USE_GTID = no, "
                "RELAY_LOG_FILE = %s, RELAY_LOG_POS = 4",
                (names[0],),
            )
            cursor.execute("START SLAVE SQL_THREAD UNTIL RELAY_LOG_FILE = %s, RELAY_LOG_POS = %s", end)
            self._wait_for(cursor, end)
            cursor.execute("STOP SLAVE")
            cursor.execute("RESET SLAVE ALL")

    def checksums(self, schema: str) -> dict[str, int | None]:
        """CHECKSUM TABLE of each table."""
        with closing(self.connection(schema)) as connection, connection.cursor() as cursor:
            cursor.execute("SHOW FULL TABLES WHERE Table_type <> 'VIEW'")
            names = [str(row[0]) for row in cursor.fetchall()]
            found = {}
            for name in names:
                cursor.execute(f"CHECKSUM TABLE {sql.quoted_name(name)}")
                ((_, found[name]),) = cursor.fetchall()
        return found

    def _wait_for(self, cursor: DictCursor, end: tuple[str, int]) -> None:
        """Until the SQL thread is where it was to stop."""
        before, deadline, idle = None, time.monotonic() + _STALL_SECONDS, 0
        while True:
            status = self._status(cursor)
            at = (status["Relay_Log_File"], int(status["Relay_Log_Pos"]))
            if status["Last_SQL_Errno"]:
                raise StepFailedError(_reason(status))
            if status["Slave_SQL_Running"] == "No":
                if at < end:
                    raise StepFailedError(f"the replay stopped at {at[0]}:{at[1]}, before the end of the log")
                return
            if at != before:
                before, deadline, idle = at, time.monotonic() + _STALL_SECONDS, 0
            # One look may be at the moment before it sees that it is done.
            idle = idle + 1 if str(status["Slave_SQL_Running_State"]).startswith(_WAITING) else 0
            if idle * _PAUSE_SECONDS > _START_SECONDS or time.monotonic() > deadline:
                raise StepFailedError(
                    f"the replay does not go on at {at[0]}:{at[1]}: the log ends within a transaction?"
                )
            time.sleep(_PAUSE_SECONDS)

    def _status(self, cursor: DictCursor) -> dict[str, Any]:
        try:
            cursor.execute("SHOW SLAVE STATUS")
            (status,) = cursor.fetchall()
        except pymysql.MySQLError as error:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_START_SECONDS)
            code = self._process.returncode
            raise StepFailedError(f"the scratch server ended during the replay with {code}") from error
        return dict(status)


@contextmanager
def running(folder: Path) -> Iterator[ScratchServer]:
    """The server of this folder, which is made if it is not there; stopped at the end, and its data stays.

    Raises:
        StepFailedError: it does not start.
    """
    _install(folder)
    _socket(folder).unlink(missing_ok=True)
    (folder / "client.cnf").write_text(f'[client]\nsocket="{_socket(folder)}"\nuser="root"\n')
    log = folder / "server.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(  # noqa: S603  words of this program
            [*_command(folder), *_OPTIONS], stdin=subprocess.DEVNULL, stdout=output, stderr=output
        ) as process,
    ):
        try:
            server = ScratchServer(folder, process)
            _wait_until_it_answers(server, process, log)
            yield server
        finally:
            _stop(process)


def remove(folder: Path) -> None:
    """The folder of a server that does not run."""
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)


def _data(folder: Path) -> Path:
    return folder / "data"


def _socket(folder: Path) -> Path:
    return folder / "sock"


def _command(folder: Path) -> list[str]:
    places = [f"--datadir={_data(folder)}", f"--tmpdir={folder / 'tmp'}", f"--socket={_socket(folder)}"]
    places += [f"--pid-file={folder / 'pid'}", f"--secure-file-priv={folder / 'none'}"]
    # It refuses to run as root unless it is told so; any other user needs no name.
    return [str(PROGRAM), "--no-defaults", *places, *(["--user=root"] if os.geteuid() == 0 else [])]


def _install(folder: Path) -> None:
    """The system's tables, without the accounts, help texts and views that mariadb-install-db adds."""
    if _data(folder).exists():
        return
    for place in (folder, folder / "tmp", folder / "none"):
        place.mkdir(mode=0o700, exist_ok=True)
    draft = folder / "draft"
    remove(draft)
    draft.mkdir(mode=0o700)
    script = b"CREATE DATABASE mysql;\nUSE mysql;\n" + _system_tables().read_bytes()
    command = [*_command(folder), f"--datadir={draft}", "--bootstrap", *_OPTIONS]
    done = subprocess.run(  # noqa: S603  words of this program
        command, input=script, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=_START_SECONDS, check=False
    )
    if done.returncode != 0:
        said = done.stdout[-_LOG_TAIL:].decode(errors="replace")
        raise StepFailedError(f"making the scratch server exited with {done.returncode}: {said}")
    draft.rename(_data(folder))


def _system_tables() -> Path:
    """MariaDB 11 has renamed it."""
    for name in ("mariadb_system_tables.sql", "mysql_system_tables.sql"):
        if (_SHARE / name).exists():
            return _SHARE / name
    raise StepFailedError(f"{_SHARE} has no tables of a server's own")


def _wait_until_it_answers(server: ScratchServer, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            server.connection().close()
        except pymysql.MySQLError as error:
            if process.poll() is None and time.monotonic() < deadline:
                time.sleep(_PAUSE_SECONDS)
                continue
            said = log.read_bytes()[-_LOG_TAIL:].decode(errors="replace")
            raise StepFailedError(f"the scratch server does not start: {said}") from error
        else:
            return


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def _named(number: int) -> str:
    return f"error {number} ({_ERROR_NAMES.get(number, 'unnamed')})"


def _reason(status: dict[str, Any]) -> str:
    """Why the replay stopped; not the server's own text, which quotes values and statements."""
    handler = _HANDLER_ERROR.search(str(status["Last_SQL_Error"]))
    also = f", {handler[1]}" if handler else ""
    at = f"{status['Relay_Log_File']}:{status['Relay_Log_Pos']}"
    return f"the replay stopped at {at}: {_named(int(status['Last_SQL_Errno']))}{also}"
