"""Connections to a MariaDB server: the administrator's are kept for a few seconds, a tenant's are not.

A TLS 1.3 login costs more than what is then done, and calls come in bursts.
Nothing idles for longer on a server whose connections are for tenants.
"""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pymysql
from pymysql.connections import Connection
from pymysql.cursors import Cursor

from vivero_core.backends.addresses import checked_host
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.mariadb.errors import SYSTEM, translated
from vivero_core.backends.tls import client_context

IDLE_SECONDS: Final = 5.0
LOCK_SECONDS: Final = 4
"""A statement waits so long for a lock. The server's own default is a day: one forgotten transaction would hold every
DDL. Shorter than WORK_SECONDS, so that the server says what it was, and not our timeout."""
WORK_SECONDS: Final = 5.0
"""Work on one tenant's data that takes longer continues at the next call: a thread is never held for a minute."""


@dataclass(frozen=True, slots=True)
class Server:
    """A MariaDB server and how long to wait for it, in seconds."""

    host: str
    port: int
    authority: str  # PEM text
    connect_timeout: int = 5  # also for each answer until the login is done: a server that hangs is detected soon
    answer_timeout: int = 30  # of statements whose size no tenant decides


class Connections:
    """To one server; safe for threads."""

    def __init__(self, server: Server, admin: Credentials) -> None:
        checked_host(server.host, SYSTEM)
        self._server = server
        self._admin = admin
        self._context = client_context(server.authority)
        self._idle: deque[tuple[float, Connection[Cursor]]] = deque()  # the longest idle first
        self._taking = threading.Lock()
        self._closed = False

    def close(self) -> None:
        """What is in use closes when its work ends."""
        self._closed = True
        self._close_idle(0.0)

    @contextlib.contextmanager
    def admins(self, doing: str, *, tenants_data: bool = False) -> Iterator[Cursor]:
        """A cursor of the administrator; statements commit by themselves.

        With `tenants_data` an answer is waited for WORK_SECONDS at most, and a longer wait is unfinished work.
        """
        with translated(self._at(doing)):
            connection = self._take() or self._connect(self._admin, None)
        # pymysql has one limit for every answer, and no setter.
        wait = WORK_SECONDS if tenants_data else self._server.answer_timeout
        connection._read_timeout = wait  # type: ignore[attr-defined]  # noqa: SLF001
        try:
            with translated(doing, tenants_data=tenants_data), connection.cursor() as cursor:
                yield cursor
        except BaseException:
            connection.close()
            raise
        self._keep(connection)

    @contextlib.contextmanager
    def tenants(self, doing: str, user: Credentials, database: str) -> Iterator[Cursor]:
        """A cursor over a fresh connection as a tenant's user."""
        with (
            translated(self._at(doing), tenants_login=True),
            contextlib.closing(self._connect(user, database)) as connection,
            connection.cursor() as cursor,
        ):
            yield cursor

    def _at(self, doing: str) -> str:
        return f"{doing} at {self._server.host}:{self._server.port}"

    def _take(self) -> "Connection[Cursor] | None":
        """One that was used a moment ago and still answers."""
        self._close_idle(IDLE_SECONDS)
        with self._taking:
            connection = self._idle.pop()[1] if self._idle else None
        if connection is None:
            return None
        # A server that hangs is detected as soon as with a new connection.
        connection._read_timeout = self._server.connect_timeout  # type: ignore[attr-defined]  # noqa: SLF001
        try:
            connection.ping(reconnect=False)
        except pymysql.err.Error:
            connection.close()
            return None
        return connection

    def _keep(self, connection: "Connection[Cursor]") -> None:
        with self._taking:
            if not self._closed:
                self._idle.append((time.monotonic(), connection))
                return
        connection.close()

    def _close_idle(self, seconds: float) -> None:
        """Close what has been idle for as long."""
        with self._taking:
            while self._idle and time.monotonic() - self._idle[0][0] >= seconds:
                self._idle.popleft()[1].close()

    def _connect(self, login: Credentials, database: str | None) -> "Connection[Cursor]":
        server = self._server
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
            init_command=f"SET SESSION lock_wait_timeout = {LOCK_SECONDS}, innodb_lock_wait_timeout = {LOCK_SECONDS}",
        )
        connection._read_timeout = server.answer_timeout  # type: ignore[attr-defined]  # noqa: SLF001
        return connection
