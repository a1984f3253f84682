"""A throw-away MariaDB in a folder, where a tenant's data is brought back to a second before anybody else sees it.

A binary log is replayed by the server's own SQL thread, as a relay log: that alone gives the rows and tables that the
source had. Only whoever may open the folder reaches the server: it has a Unix socket, no network, and an administrator
without a password. A step that was killed leaves a folder that `remove` takes away.
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
from vivero_core.backends.mariadb.program import Program, ProgramError
from vivero_core.backends.mariadb.programs import make
from vivero_core.model import naming

from vivero_operator.operations.errors import StepFailedError

PROGRAM: Final = Path("/usr/sbin/mariadbd")
_SHARES: Final = (Path("/usr/share/mariadb"), Path("/usr/share/mysql"))
_START_SECONDS: Final = 120.0
_STOP_SECONDS: Final = 120.0
_STATEMENT_SECONDS: Final = 3600
_STALL_SECONDS: Final = 1800.0
"""Without any progress of a replay: one ALTER TABLE of a large table is none."""
IDLE_SECONDS: Final = 30.0
"""With nothing left to read before the end: the last group has none."""
_PAUSE_SECONDS: Final = 0.1
_LOG_TAIL: Final = 1024
_SERVER_ID: Final = 2**32 - 1
_RELAY: Final = "replay"
_WAITING: Final = "Slave has read all relay log"
_HANDLER_ERROR: Final = re.compile(r"handler error (HA_ERR_\w+)")
_DEFINER: Final = re.compile(r"^Error 'The user specified as a definer \('(.*?)'@'(.*?)'\) does not exist'")
_ERROR_NAMES: Final = {number: name for name, number in vars(ER).items() if isinstance(number, int) and number > 1}
_OF_SERVER: Final = frozenset({"information_schema", "mysql", "performance_schema", "sys"})
_ADMINISTRATOR: Final = b"""\
INSERT INTO global_priv VALUES ('localhost', 'root', '{"access": 18446744073709551615}');
"""
_DEFINERS: Final = " UNION ".join(
    f"SELECT definer FROM {table}"  # noqa: S608  words of this module
    for table in ("views", "triggers", "routines", "events")
)

_OPTIONS: Final = (
    # Nobody but this program.
    "--skip-networking",
    "--skip-name-resolve",
    "--skip-log-bin",
    "--event-scheduler=OFF",
    "--local-infile=OFF",
    "--symbolic-links=OFF",
    # What is lost with the server is made again from the backup.
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=OFF",
    "--sync-relay-log-info=0",
    # Memory and disk: some 125 MiB resident and 60 MB of files, beside the tenant's.
    "--innodb-autoextend-increment=4",
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
    # A log counts on it: of `DROP TABLE one, missing` it has both names, and no error to expect.
    "--slave-ddl-exec-mode=IDEMPOTENT",
    "--replicate-same-server-id=ON",
    # Of a base it lacks events, and views that nobody can make: a log may drop or change what is not there.
    "--slave-skip-errors=1539,4092",
    "--skip-slave-start",
    f"--relay-log={_RELAY}",
    f"--relay-log-index={_RELAY}.index",
    "--relay-log-recovery=OFF",
    "--slave-max-allowed-packet=1G",
)


class _NoDefinerError(StepFailedError):
    """What is replayed is to run in the name of an account that is not there."""

    def __init__(self, reason: str, account: tuple[str, str]) -> None:
        super().__init__(reason)
        self.account = account


class ScratchServer:
    """The server of this folder. All calls block, and raise StepFailedError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._data = folder / "data"
        self._socket = folder / "sock"
        self._log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def option_file(self) -> Path:
        """For mariadb-dump, while it runs."""
        return self._folder / "client.cnf"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Start it, with the data that it had; it is made if it is not there. Stopped at the end."""
        self._install()
        self.option_file.write_text(f'[client]\nsocket="{self._socket}"\nuser="root"\n')
        with (
            self._log.open("wb") as output,
            subprocess.Popen(  # noqa: S603  words of this program
                self._command(), stdin=subprocess.DEVNULL, stdout=output, stderr=output
            ) as self._process,
        ):
            try:
                self._wait_until_it_answers(self._process)
                yield
            finally:
                _stop(self._process)

    def remove(self) -> None:
        """Its folder, while it does not run."""
        with suppress(FileNotFoundError):
            shutil.rmtree(self._folder)

    def query(self, statement: str, schema: str | None = None) -> Sequence[tuple[Any, ...]]:
        """The rows of a statement."""
        with closing(self._connection(schema)) as connection, connection.cursor() as cursor:
            try:
                cursor.execute(statement)
            except pymysql.MySQLError as error:
                raise StepFailedError(f"a query of the scratch server failed: {_named(error.args[0])}") from error
            return list(cursor.fetchall())

    def version(self) -> str:
        """As it says it."""
        ((version,),) = self.query("SELECT VERSION()")
        return str(version)

    def load(self, schema: str, statements: Iterable[bytes | Program]) -> list[Program]:
        """Run what a dump holds in a schema, which is made as the operator makes them if it is not there.

        Returns the programs that nobody can make.
        """
        self.query(_made(schema))
        programs = []
        with closing(self._connection(schema)) as connection:
            for statement in statements:
                if isinstance(statement, Program):
                    programs.append(statement)
                    continue
                try:
                    connection.query(statement)
                except pymysql.MySQLError as error:
                    raise StepFailedError(f"loading {schema} failed: {_named(error.args[0])}") from error
        with closing(self._connection(schema)) as connection, connection.cursor() as cursor:
            try:
                make(cursor, programs, schema)
            except ProgramError as error:
                raise StepFailedError(f"loading {schema} failed: {error.sentence}") from error
        return [one for one in programs if one.invalid]

    def replay(self, logs: Sequence[Path], schemas: Iterable[str]) -> None:
        """Replay these files of a binary log in their order, as far as they change these schemas.

        They are on the file system of the server's folder, all from one server, and each ends with a whole group. What
        they change in a schema that is not there is an error. One that is there and not named is left as it is, by a
        filter; only then, for the filter also passes over ALTER SEQUENCE of any schema, and says nothing.
        """
        if not logs:
            return
        named, there = set(schemas), self._schemas()
        names = [f"{_RELAY}.{number:06}" for number in range(1, len(logs) + 1)]
        for log, name in zip(logs, names, strict=True):
            os.link(log, self._data / name)
        (self._data / f"{_RELAY}.index").write_text("".join(f"./{name}\n" for name in names))
        end = (names[-1], logs[-1].stat().st_size)
        with closing(self._connection()) as connection, connection.cursor(DictCursor) as cursor:
            only = ",".join(f"{name}.%" for name in sorted(named)) if there - named else ""
            cursor.execute("SET GLOBAL replicate_wild_do_table = %s", (only,))
            cursor.execute(
                "CHANGE MASTER TO MASTER_HOST = 'none', MASTER_USER = 'none', MASTER_USE_GTID = no, "
                "RELAY_LOG_FILE = %s, RELAY_LOG_POS = 4",
                (names[0],),
            )
            self._run_to(cursor, end)
            cursor.execute("RESET SLAVE ALL")
        if others := self._schemas() - there - named:
            raise StepFailedError(f"the log has made other schemas: {', '.join(sorted(others))}")
        self._make_definers()

    def _schemas(self) -> set[str]:
        return {str(name) for (name,) in self.query("SHOW DATABASES")} - _OF_SERVER

    def _run_to(self, cursor: DictCursor, end: tuple[str, int]) -> None:
        """The SQL thread, up to the end; it goes on behind each account of the source that it wants to be there."""
        made = set[tuple[str, str]]()
        while True:
            cursor.execute("START SLAVE SQL_THREAD UNTIL RELAY_LOG_FILE = %s, RELAY_LOG_POS = %s", end)
            try:
                return self._wait_for(cursor, end)
            except _NoDefinerError as error:
                if error.account in made:
                    raise
                made.add(error.account)
                self._make_definer(*error.account)

    def _make_definers(self) -> None:
        """Accounts of the source in whose name views and programs run: a view without its definer cannot be read."""
        for (account,) in self.query(_DEFINERS, "information_schema"):
            user, _, host = str(account).rpartition("@")
            self._make_definer(user, host)

    def _make_definer(self, user: str, host: str) -> None:
        with closing(self._connection()) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE USER IF NOT EXISTS %s@%s ACCOUNT LOCK", (user, host))
            cursor.execute("GRANT ALL ON *.* TO %s@%s", (user, host))

    def _wait_for(self, cursor: DictCursor, end: tuple[str, int]) -> None:
        """Until the SQL thread is where it was to stop."""
        before, since, waiting_since = None, time.monotonic(), time.monotonic()
        while True:
            status, now = self._status(cursor), time.monotonic()
            at = (str(status["Relay_Log_File"]), int(status["Relay_Log_Pos"]))
            if found := _DEFINER.search(str(status["Last_SQL_Error"])):
                raise _NoDefinerError(_reason(status), (found[1], found[2]))
            if status["Last_SQL_Errno"]:
                raise StepFailedError(_reason(status))
            if status["Slave_SQL_Running"] == "No":
                if at < end:
                    raise StepFailedError(f"the replay stopped at {at[0]}:{at[1]}, before the end of the log")
                return
            if at != before:
                before, since = at, now
            if not str(status["Slave_SQL_Running_State"]).startswith(_WAITING):
                waiting_since = now
            if now - waiting_since > IDLE_SECONDS:
                raise StepFailedError(f"the log ends within a group that begins at {at[0]}:{at[1]}")
            if now - since > _STALL_SECONDS:
                raise StepFailedError(f"the replay does not get on at {at[0]}:{at[1]}")
            time.sleep(_PAUSE_SECONDS)

    def _status(self, cursor: DictCursor) -> dict[str, Any]:
        assert self._process is not None  # noqa: S101  it runs
        try:
            cursor.execute("SHOW SLAVE STATUS")
            (status,) = cursor.fetchall()
        except pymysql.MySQLError as error:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_SECONDS)
            code = self._process.returncode
            raise StepFailedError(f"the scratch server ended during the replay, exit code {code}") from error
        return dict(status)

    def _connection(self, schema: str | None = None) -> "Connection[Any]":
        """To be closed by the caller."""
        return pymysql.connect(
            unix_socket=str(self._socket),
            user="root",
            database=schema,
            charset="utf8mb4",
            autocommit=True,
            read_timeout=_STATEMENT_SECONDS,
            write_timeout=_STATEMENT_SECONDS,
        )

    def _command(self) -> list[str]:
        # It refuses to run as root unless it is told so; any other user needs no name.
        user = ["--user=root"] if os.geteuid() == 0 else []
        places = {"socket": self._socket, "pid-file": self._folder / "pid", "tmpdir": self._folder / "tmp"}
        places |= {"datadir": self._data, "secure-file-priv": self._folder / "none"}
        return [
            str(PROGRAM),
            "--no-defaults",
            *user,
            *(f"--{name}={place}" for name, place in places.items()),
            *_OPTIONS,
        ]

    def _install(self) -> None:
        """The system's tables, without the accounts, help texts and views that mariadb-install-db adds."""
        if self._data.exists():
            return
        for name in ("", "tmp", "none"):
            (self._folder / name).mkdir(mode=0o700, exist_ok=True)
        draft = self._folder / "draft"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        script = b"CREATE DATABASE mysql;\nUSE mysql;\n" + _system_tables().read_bytes() + _ADMINISTRATOR
        done = subprocess.run(  # noqa: S603  words of this program
            [*self._command(), f"--datadir={draft}", "--bootstrap"],
            input=script,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_START_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise StepFailedError(f"making the scratch server exited with {done.returncode}: {_end_of(done.stdout)}")
        draft.rename(self._data)

    def _wait_until_it_answers(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self._connection().close()
            except pymysql.MySQLError as error:
                if process.poll() is None and time.monotonic() < deadline:
                    time.sleep(_PAUSE_SECONDS)
                    continue
                raise StepFailedError(
                    f"the scratch server does not start: {_end_of(self._log.read_bytes())}"
                ) from error
            else:
                return


def _made(schema: str) -> str:
    """The statement that makes it."""
    if naming.tenant_of_database(schema) is not None:
        return sql.create_database(schema)[0]
    return f"CREATE DATABASE IF NOT EXISTS {sql.identifier(schema)} CHARACTER SET utf8mb4"


def _system_tables() -> Path:
    """MariaDB 11 has renamed it."""
    for name in ("mariadb_system_tables.sql", "mysql_system_tables.sql"):
        for share in _SHARES:
            if (share / name).exists():
                return share / name
    raise StepFailedError("no file with the tables of a server's own is installed")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def _end_of(output: bytes) -> str:
    """What a server says when it starts, which holds nobody's data."""
    return output[-_LOG_TAIL:].decode(errors="replace").strip()


def _named(number: int) -> str:
    return f"error {number} ({_ERROR_NAMES.get(number, 'unnamed')})"


def _reason(status: dict[str, Any]) -> str:
    """Why the replay stopped; not the server's own text, which quotes values and statements."""
    handler = _HANDLER_ERROR.search(str(status["Last_SQL_Error"]))
    also = f", {handler[1]}" if handler else ""
    at = f"{status['Relay_Log_File']}:{status['Relay_Log_Pos']}"
    return f"the replay stopped at {at}: {_named(int(status['Last_SQL_Errno']))}{also}"
