"""DatabaseAdmin over pymysql: blocking, so the operator calls it in threads.

The administrator's connections are kept for a few seconds: a TLS 1.3 login
costs more than what is then done, and calls come in bursts. Nothing idles for
longer on a server whose connections are for tenants.
"""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import pymysql
from pymysql.connections import Connection
from pymysql.cursors import Cursor

from vivero_core.backends.credentials import Credentials
from vivero_core.backends.mariadb import statements
from vivero_core.backends.mariadb.errors import SYSTEM, USER_LIMIT_REACHED, code_of, translated
from vivero_core.backends.survey import Survey, digests, tenant_in
from vivero_core.backends.tls import client_context
from vivero_core.errors import (
    BackendError,
    BackendNotFoundError,
    BackendProofError,
    BackendRefusedError,
)
from vivero_core.model.naming import is_tenant_id

IDLE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Server:
    """A MariaDB server and how long to wait for it, in seconds."""

    host: str
    port: int
    authority: str  # PEM text
    connect_timeout: int = 5  # also for each answer until the login is done: a server that hangs is told soon
    answer_timeout: int = 30  # a DROP DATABASE of a large tenant is the slowest; it goes on even when we stop waiting


class MariaDbAdmin:
    """Implements `DatabaseAdmin` for one server; one for the life of the program, safe for threads."""

    def __init__(self, server: Server, admin: Credentials) -> None:
        self.server = server
        self._admin = admin
        self._context = client_context(server.authority)
        self._idle: deque[tuple[float, Connection[Cursor]]] = deque()  # the longest idle first
        self._taking = threading.Lock()

    def close(self) -> None:
        self._close_idle(0.0)

    def ensure_database(self, database: str) -> bool:
        with self._session(f"create database {database}") as cursor:
            if _rows(cursor, statements.find_database(database)):
                return False
            cursor.execute(*statements.create_database(database))
            return True

    def ensure_user(self, user: Credentials, database: str, max_connections: int) -> bool:
        with self._session(f"set up user {user.name}") as cursor:
            wrote_user = _ensure_account(cursor, user, max_connections)
            return _ensure_grants(cursor, user.name, database) or wrote_user

    def set_locked(self, user: str, *, locked: bool) -> bool:
        with self._session(f"{'lock' if locked else 'unlock'} user {user}") as cursor:
            found = _rows(cursor, statements.find_user(user))
            if not found:
                raise BackendNotFoundError(SYSTEM, f"no user {user}")
            if statements.user_state(found[0]).locked is locked:
                return False
            cursor.execute(*statements.lock_user(user, locked=locked))
            return True

    def prove(self, user: Credentials, database: str) -> float:
        started = time.perf_counter()
        with self._session(f"prove database {database}", user, database) as cursor:
            # Temporary: it needs the schema's rights, yet leaves nothing for backups or replicas.
            cursor.execute("CREATE TEMPORARY TABLE vivero_proof (n INT PRIMARY KEY)")
            cursor.execute("INSERT INTO vivero_proof VALUES (42)")
            cursor.execute("SELECT n FROM vivero_proof")
            row = cursor.fetchone()
            cursor.execute("DELETE FROM vivero_proof")
        if row != (42,):
            raise BackendProofError(SYSTEM, f"database {database} returned something else than was written")
        return (time.perf_counter() - started) * 1000

    def can_login(self, user: Credentials, database: str) -> bool:
        try:
            with self._session(f"log in as {user.name}", user, database):
                return True
        except BackendRefusedError:
            return False
        except BackendError as error:
            if code_of(error.__cause__) == USER_LIMIT_REACHED:
                return True  # the password was right, every connection is in use
            raise

    def database_exists(self, database: str) -> bool:
        with self._session(f"look for database {database}") as cursor:
            return bool(_rows(cursor, statements.find_database(database)))

    def user_exists(self, user: str) -> bool:
        with self._session(f"look for user {user}") as cursor:
            return bool(_rows(cursor, statements.find_user(user)))

    def tenant_databases(self) -> list[str]:
        with self._session("list databases") as cursor:
            names = _rows(cursor, ("SHOW DATABASES LIKE 'vt%%'", ()))
        return sorted(name for name in names if is_tenant_id(name.removeprefix("vt")))

    def survey(self) -> Survey:
        with self._session("survey the tenants") as cursor:
            facts: list[tuple[str | None, object]] = [
                (tenant_in(name, "vt"), "schema") for name in _rows(cursor, ("SHOW DATABASES LIKE 'vt%%'", ()))
            ]
            for table in statements.SURVEYED:
                cursor.execute(*statements.survey(table))
                facts += [(tenant_in(str(row[0]), "vt"), (table, row)) for row in cursor.fetchall()]
        return digests(facts)

    def drop_user(self, user: str) -> bool:
        with self._session(f"drop user {user}") as cursor:
            existed = bool(_rows(cursor, statements.find_user(user)))
            if existed:
                cursor.execute(*statements.drop_user(user))
            # Also when it was gone: a crash between the two statements leaves connections.
            cursor.execute(*statements.end_connections(user))
            return existed

    def drop_database(self, database: str) -> bool:
        with self._session(f"drop database {database}") as cursor:
            if not _rows(cursor, statements.find_database(database)):
                return False
            cursor.execute(*statements.drop_database(database))
            return True

    def ping(self) -> None:
        with self._session("ask for a sign of life"):
            return

    def server_version(self) -> str:
        with self._session("ask the version") as cursor:
            return _rows(cursor, ("SELECT VERSION()", ()))[0]

    @contextlib.contextmanager
    def _session(self, doing: str, user: Credentials | None = None, database: str | None = None) -> Iterator[Cursor]:
        """A cursor, as the administrator or over a fresh connection as `user`; statements commit by themselves."""
        with translated(doing), self._connection(user, database) as connection, connection.cursor() as cursor:
            yield cursor

    @contextlib.contextmanager
    def _connection(
        self, user: Credentials | None, database: str | None
    ) -> Iterator["Connection[Cursor]"]:  # generic in the stubs alone
        """The administrator's: used a moment ago and still answering, else new; kept when nothing went wrong."""
        if user is not None:
            with contextlib.closing(self._connect(user, database)) as connection:
                yield connection
            return
        connection = self._take() or self._connect(self._admin, None)
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        with self._taking:
            self._idle.append((time.monotonic(), connection))

    def _take(self) -> "Connection[Cursor] | None":
        self._close_idle(IDLE_SECONDS)
        with self._taking:
            connection = self._idle.pop()[1] if self._idle else None
        if connection is None:
            return None
        try:
            connection.ping(reconnect=False)
        except pymysql.err.Error:
            connection.close()
            return None
        return connection

    def _close_idle(self, seconds: float) -> None:
        """Close what has been idle for as long."""
        with self._taking:
            while self._idle and time.monotonic() - self._idle[0][0] >= seconds:
                self._idle.popleft()[1].close()

    def _connect(self, login: Credentials, database: str | None) -> "Connection[Cursor]":
        server = self.server
        connection = pymysql.connect(
            host=server.host,
            port=server.port,
            user=login.name,
            password=login.secret.encode(),  # as text, pymysql would send it in Latin-1
            database=database,
            ssl=self._context,  # a context makes TLS a must, not an offer
            connect_timeout=server.connect_timeout,
            read_timeout=server.connect_timeout,
            write_timeout=server.answer_timeout,
            charset="utf8mb4",
            autocommit=True,
            # The server's own default is a day: one forgotten transaction would hold every DDL.
            init_command=f"SET SESSION lock_wait_timeout = {server.answer_timeout // 2}",
        )
        # pymysql has one limit for every answer, and no setter.
        connection._read_timeout = server.answer_timeout  # type: ignore[attr-defined]  # noqa: SLF001
        return connection


def _rows(cursor: Cursor, statement: statements.Statement) -> list[str]:
    """The first column of every row, as text."""
    cursor.execute(*statement)
    return [str(row[0]) for row in cursor.fetchall()]


def _ensure_account(cursor: Cursor, user: Credentials, max_connections: int) -> bool:
    found = _rows(cursor, statements.find_user(user.name))
    if found:
        state = statements.user_state(found[0])
        if state == statements.wanted_user(user.secret, max_connections, locked=state.locked):
            return False
    cursor.execute(*statements.write_user(user.name, user.secret, max_connections, exists=bool(found)))
    return True


def _ensure_grants(cursor: Cursor, user: str, database: str) -> bool:
    wanted = statements.wanted_grants(database)
    present = statements.grants(_rows(cursor, statements.show_grants(user)))
    if present == wanted:
        return False
    if any(privileges - wanted.get(scope, frozenset()) for scope, privileges in present.items()):
        cursor.execute(*statements.revoke_all(user))
    cursor.execute(*statements.grant(user, database))
    return True
