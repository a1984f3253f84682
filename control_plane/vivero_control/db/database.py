"""The connection to the control plane's own schema, and the base of all repositories."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

from sqlalchemy import URL, ColumnElement, inspect, select, text
from sqlalchemy.dialects.mysql import insert
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from vivero_web import mariadb
from vivero_web.errors import UnavailableError

from vivero_control.db.spans import trace_statements
from vivero_control.db.tables import Base
from vivero_control.settings import Settings

RowT = TypeVar("RowT", bound=Base)

CONNECT_SECONDS = 5
POOL_WAIT_SECONDS = 3.0  # longer than any request may take; then the honest answer is 503
RECYCLE_SECONDS = 1800  # below any server's or balancer's idle limit


class DatabaseUnavailableError(UnavailableError):
    """MariaDB did not answer, or not in time."""


def url(settings: Settings, driver: str) -> URL:
    """Where the schema is; `driver` is `mariadb+asyncmy` in requests, `mariadb+pymysql` for migrations."""
    at = settings.database
    return URL.create(driver, at.username, at.password.get_secret_value(), at.host, at.port, at.name)


def passes(error: DBAPIError) -> bool:
    """Whether the error is transient, of the server and not of the statement; without an error number the connection is lost."""
    if error.connection_invalidated or isinstance(error, InterfaceError):
        return True
    code = error.orig.args[0] if error.orig and error.orig.args else None
    return mariadb.passes(code) if isinstance(code, int) else isinstance(error, OperationalError)


class Database:
    """Hands out transactions: one request or job is one, and the edge commits it."""

    def __init__(self, settings: Settings) -> None:
        self.engine = create_async_engine(
            url(settings, "mariadb+asyncmy"),
            connect_args={"ssl": settings.tls(), "connect_timeout": CONNECT_SECONDS},
            # A transaction that waited for a lock must see what the other one committed, not an old snapshot.
            isolation_level="READ COMMITTED",
            pool_size=settings.database.pool_size,
            max_overflow=settings.database.pool_size,
            pool_timeout=POOL_WAIT_SECONDS,
            pool_recycle=RECYCLE_SECONDS,
            pool_pre_ping=True,
            hide_parameters=True,
        )
        trace_statements(self.engine.sync_engine)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Commits at the end, rolls back on any error.

        Raises:
            DatabaseUnavailableError: the server is unavailable or overloaded, or a lock timed out.
            IntegrityError: a unique key is taken; repositories say what that means.
            DBAPIError: the statement is wrong, which is a fault of this program.
        """
        try:
            async with self._sessions.begin() as session:
                yield session
        except (PoolTimeoutError, OSError) as error:
            raise DatabaseUnavailableError from error
        except DBAPIError as error:
            if passes(error):
                raise DatabaseUnavailableError from error
            raise

    async def ping(self) -> None:
        async with self.transaction() as session:
            await session.execute(text("SELECT 1"))

    async def close(self) -> None:
        await self.engine.dispose()


class Repository(Generic[RowT]):
    """Reads and writes one table, within a transaction that its caller began; raises SQLAlchemy's own errors."""

    model_type: type[RowT]

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def add(self, row: RowT) -> None:
        """Insert it, which gives it its id."""
        self.session.add(row)
        await self.session.flush()

    async def add_new(self, rows: Sequence[RowT]) -> None:
        """Insert those whose unique keys are free; the others change nothing.

        In one statement and without savepoints: a deadlock rolls back the whole transaction, and the savepoint that is
        then missing would be an error of its own, which hides that a retry helps.
        """
        mapper = inspect(self.model_type)
        (key,) = mapper.primary_key
        values = [{name: value for name, value in vars(row).items() if name in mapper.column_attrs} for row in rows]
        statement = insert(self.model_type).on_duplicate_key_update({key.name: key})
        await self.session.execute(statement, values)

    async def get_one_or_none(
        self, *conditions: ColumnElement[bool], with_for_update: bool = False, **values: object
    ) -> RowT | None:
        """The row that meets the conditions and has these values, locked if asked for.

        Raises:
            sqlalchemy.exc.MultipleResultsFound: there are several.
        """
        statement = select(self.model_type).where(*conditions).filter_by(**values)
        if with_for_update:
            statement = statement.with_for_update()
        return (await self.session.scalars(statement)).one_or_none()
