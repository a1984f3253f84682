"""Classification of database errors: an unavailable server is retryable, an invalid statement is a bug."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pymysql
import pytest
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
)
from sqlalchemy.exc import InternalError as SqlInternalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from structlog.testing import capture_logs
from vivero_control.db.database import Database, DatabaseUnavailableError
from vivero_web.problem import describe


class NoServer(Database):
    """A sessionmaker without a server."""

    def __init__(self) -> None:
        @asynccontextmanager
        async def begin() -> AsyncIterator[None]:
            yield None

        self._sessions = type("Sessions", (), {"begin": staticmethod(begin)})()


def failed(kind: type[DBAPIError], *args: object) -> DBAPIError:
    return kind("SELECT nope FROM signups", {}, pymysql.err.MySQLError(*args))


WRONG = [
    failed(ProgrammingError, 1146, "Table 'x' doesn't exist"),
    failed(ProgrammingError, 1064, "You have an error in your SQL syntax"),
    failed(OperationalError, 1054, "Unknown column 'nope'"),
    failed(DataError, 1406, "Data too long for column 'company'"),
    failed(OperationalError, 1366, "Incorrect string value"),
    failed(NotSupportedError, 1235, "not supported"),
    failed(SqlInternalError, 1000, "odd"),
    failed(OperationalError, 1142, "SELECT command denied"),
]
AWAY = [
    failed(OperationalError, 2003, "Can't connect"),
    failed(OperationalError, 2013, "Lost connection"),
    failed(OperationalError, 2006, "gone away"),
    failed(OperationalError, 1205, "Lock wait timeout"),
    failed(OperationalError, 1213, "Deadlock"),
    failed(OperationalError, 1040, "Too many connections"),
    failed(OperationalError, 1045, "Access denied"),
    failed(OperationalError, 1969, "max_statement_time exceeded"),
    failed(OperationalError, "no number"),
    failed(InterfaceError, 0, ""),
    DBAPIError("SELECT 1", {}, pymysql.err.MySQLError(1, "x"), connection_invalidated=True),
    PoolTimeoutError("the pool is empty"),
    ConnectionResetError(),
    TimeoutError(),
]


async def raised(cause: Exception) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011  which one is what is asked
        async with NoServer().transaction():
            raise cause
    return caught.value


@pytest.mark.parametrize("cause", WRONG, ids=str)
async def test_an_invalid_statement_is_logged_as_a_bug(cause: Exception) -> None:
    error = await raised(cause)
    assert error is cause
    with capture_logs() as lines:
        problem, headers = describe(error)
    assert (problem.status, "retry-after" in {name.lower() for name in headers}) == (500, False)
    assert "nope" not in problem.detail
    (line,) = lines
    assert (line["log_level"], line["exc_info"]) == ("error", error)


@pytest.mark.parametrize("cause", AWAY, ids=repr)
async def test_an_unavailable_server_is_retryable(cause: Exception) -> None:
    error = await raised(cause)
    assert isinstance(error, DatabaseUnavailableError)
    assert error.__cause__ is cause
    assert describe(error)[0].status == 503


async def test_a_duplicate_key_is_handled_by_the_repository() -> None:
    cause = failed(IntegrityError, 1062, "Duplicate entry")
    assert await raised(cause) is cause
