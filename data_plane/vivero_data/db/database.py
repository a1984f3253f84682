"""Connections to the tenant's schema: a small pool, and transactions that are always committed or rolled back.

asyncmy's own pool and SQL in the repositories, without SQLAlchemy: that
would take 20 MB of an idle pod's 70 and 150 ms of its start (ADR in
docs/adr). Sessions run in UTC, READ COMMITTED (no gap locks between users
who add records at the same time), strict SQL, with a limit on each statement.
"""

import asyncio
import random
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeVar

import asyncmy
from asyncmy.pool import Pool
from vivero_core.tracing.statements import statement_span
from vivero_web.errors import UnavailableError, explained

from vivero_data.db.errors import DRIVER_ERRORS, translate
from vivero_data.settings import DatabaseSecret

Row = tuple[Any, ...]
T = TypeVar("T")

_CONNECT_SECONDS: Final = 5
_ACQUIRE_SECONDS: Final = 5.0  # longer than any healthy queue; then the caller gets 503
_STATEMENT_SECONDS: Final = 10  # ends a runaway query on the server too
_IDLE_SECONDS: Final = 20  # connections unused for longer are closed: thousands of tenants share a server
_CLOSE_SECONDS: Final = 3.0
_FIRST_RETRY: Final = 0.05
_LAST_RETRY: Final = 0.5
_SESSION: Final = (
    "SET SESSION time_zone='+00:00', tx_isolation='READ-COMMITTED', "
    f"max_statement_time={_STATEMENT_SECONDS}, innodb_lock_wait_timeout={_STATEMENT_SECONDS}, "
    "sql_mode='STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'"
)


OWN_AUDIT_LOG: Final = "audit_log"
"""In the tenant's own schema: the audit log itself, or what is left there from before it had a schema of its own."""


_STATEMENT_ROWS: Final = 200  # of one statement: few round trips, and no more memory than a page of a list


def batches(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """The rows in chunks of what one statement writes."""
    return (rows[start : start + _STATEMENT_ROWS] for start in range(0, len(rows), _STATEMENT_ROWS))


def within(seconds: float | None) -> str:
    """Put before a SELECT: the server ends it after so many seconds, if that is sooner than any other statement."""
    return "" if seconds is None else f"SET STATEMENT max_statement_time={float(seconds)} FOR "


BEFORE_COMMIT: ContextVar[Callable[["Connection"], Awaitable[None]] | None] = ContextVar("before_commit", default=None)
"""What the request at hand has written in each of its transactions, too (domain/idempotency)."""


class Connection:
    """A pooled connection during a read or transaction.

    `audit_log` is the audit log's qualified table name; who adds an entry to it sets `logged`.
    """

    def __init__(self, raw: asyncmy.Connection, audit_log: str, logged: asyncio.Event) -> None:
        self._raw = raw
        self.audit_log = audit_log
        self.logged = logged

    async def fetch_all(self, sql: str, *params: object) -> list[Row]:
        cursor = await self._run(sql, params)
        rows: list[Row] = list(await cursor.fetchall())
        return rows

    async def fetch_one(self, sql: str, *params: object) -> Row | None:
        cursor = await self._run(sql, params)
        row: Row | None = await cursor.fetchone()
        return row

    async def execute(self, sql: str, *params: object) -> int:
        """Run a statement; how many rows it changed."""
        cursor = await self._run(sql, params)
        return int(cursor.rowcount)

    async def insert(self, sql: str, *params: object) -> int:
        """Run an INSERT; the id it generated."""
        cursor = await self._run(sql, params)
        return int(cursor.lastrowid)

    async def _run(self, sql: str, params: tuple[object, ...]) -> Any:  # noqa: ANN401  the driver's cursor is untyped
        cursor = self._raw.cursor()
        try:
            with statement_span(sql):
                await cursor.execute(sql, params or None)
        except DRIVER_ERRORS as error:
            raise translate(error) from error
        return cursor


class Database:
    """The connection pool. Created unopened; until `open` succeeds every use raises UnavailableError.

    `logged` is set by whatever of this process adds to the audit log.
    """

    def __init__(self, secret: DatabaseSecret, tls: ssl.SSLContext, size: int) -> None:
        self._secret = secret
        self._tls = tls
        self._size = size
        self._audit_log = f"`{secret.audit}`.{OWN_AUDIT_LOG}" if secret.audit else OWN_AUDIT_LOG
        self.logged = asyncio.Event()
        self._pool: Pool | None = None
        self._reason: UnavailableError | None = None

    @property
    def name(self) -> str:
        """Name of the schema."""
        return self._secret.name

    async def open(self, seconds: float) -> None:
        """Connect, retrying with exponential back-off for at most so many seconds.

        Raises:
            UnavailableError: no connection within that time.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        pause = _FIRST_RETRY
        while True:
            try:
                self._pool = await self._connect()
            except DRIVER_ERRORS as error:
                self._reason = _reason(error)
                if asyncio.get_running_loop().time() + pause > deadline:
                    raise translate(error) from error
            else:
                return
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311  jitter, not a secret
            pause = min(pause * 1.5, _LAST_RETRY)

    async def close(self) -> None:
        """Close every connection, waiting a little for those in use."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        pool.close()
        try:
            await asyncio.wait_for(pool.wait_closed(), _CLOSE_SECONDS)
        except TimeoutError:
            pool.terminate()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Connection]:
        """A connection for single statements, each its own transaction."""
        raw = await self._acquire()
        try:
            yield Connection(raw, self._audit_log, self.logged)
        finally:
            await self._release(raw)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction: committed when the block ends, rolled back when it raises."""
        async with self.read() as connection:
            await connection.execute("BEGIN")
            try:
                yield connection
                if (before_commit := BEFORE_COMMIT.get()) is not None:
                    await before_commit(connection)
                await connection.execute("COMMIT")
            except Exception:
                # A cancelled request skips this: its connection is still in a
                # transaction, so the pool closes it and the server rolls back.
                await connection.execute("ROLLBACK")
                raise

    @asynccontextmanager
    async def patient(self, seconds: int) -> AsyncIterator[Connection]:
        """A connection of its own, for a statement that takes longer than others may: an index that is built."""
        try:
            raw = await asyncmy.connect(**self._login(seconds))
        except DRIVER_ERRORS as error:
            raise translate(error) from error
        try:
            yield Connection(raw, self._audit_log, self.logged)
        finally:
            raw.close()

    @asynccontextmanager
    async def rehearsal(self) -> AsyncIterator[Connection]:
        """A transaction that is always rolled back: it leaves nothing, neither in the tables nor in the server's log."""
        async with self.read() as connection:
            await connection.execute("BEGIN")
            try:
                yield connection
            except Exception:
                await connection.execute("ROLLBACK")
                raise
            await connection.execute("ROLLBACK")

    async def _connect(self) -> Pool:
        return await asyncmy.create_pool(
            minsize=1, maxsize=self._size, pool_recycle=_IDLE_SECONDS, **self._login(_STATEMENT_SECONDS)
        )

    def _login(self, seconds: int) -> dict[str, Any]:
        """Where and how to connect, for statements of so many seconds."""
        return {
            "host": self._secret.host,
            "port": self._secret.port,
            "user": self._secret.username,
            "password": self._secret.password,
            "database": self._secret.name,
            "charset": "utf8mb4",
            "autocommit": True,
            "init_command": _SESSION,
            "connect_timeout": _CONNECT_SECONDS,
            "read_timeout": seconds + _CONNECT_SECONDS,
            "ssl": self._tls,
        }

    async def _acquire(self) -> asyncmy.Connection:
        if self._pool is None:
            raise UnavailableError("The workspace is starting.") from self._reason
        try:
            async with asyncio.timeout(_ACQUIRE_SECONDS):
                return await self._pool.acquire()
        except DRIVER_ERRORS as error:
            raise translate(error) from error

    async def _release(self, raw: asyncmy.Connection) -> None:
        pool = self._pool
        if pool is None:
            raw.close()
        else:
            await pool.release(raw)


def _reason(error: BaseException) -> UnavailableError:
    """Why connecting failed, without the exception itself, which would keep the connection alive."""
    problem = translate(error)
    problem.__cause__ = error
    return UnavailableError(explained(problem))
