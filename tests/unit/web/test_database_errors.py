"""What MariaDB's errors mean in both programs, number by number: asked again later, or a fault of ours in the log."""

from collections.abc import Callable
from typing import Any

import pymysql
import pytest
from asyncmy import errors as asyncmy
from litestar.status_codes import HTTP_500_INTERNAL_SERVER_ERROR, HTTP_503_SERVICE_UNAVAILABLE
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, ProgrammingError
from structlog.testing import capture_logs
from vivero_control.db.database import DatabaseUnavailableError, passes
from vivero_data.db.errors import translate
from vivero_web.problem import describe

# Names of the numbers in MariaDB's list of error codes; those above 2000 are the client's own.
PASSES = {
    "CR_CONNECTION_ERROR": 2002,
    "CR_CONN_HOST_ERROR": 2003,
    "CR_UNKNOWN_HOST": 2005,
    "CR_SERVER_GONE_ERROR": 2006,
    "CR_SERVER_LOST": 2013,
    "CR_SSL_CONNECTION_ERROR": 2026,
    "ER_SERVER_SHUTDOWN": 1053,
    "ER_NET_READ_INTERRUPTED": 1159,
    "ER_CONNECTION_KILLED": 1927,
    "ER_CON_COUNT_ERROR": 1040,
    "ER_HOST_IS_BLOCKED": 1129,
    "ER_CANT_CREATE_THREAD": 1135,
    "ER_TOO_MANY_USER_CONNECTIONS": 1203,
    "ER_USER_LIMIT_REACHED": 1226,
    "ER_ACCESS_DENIED_ERROR": 1045,
    "ER_BAD_DB_ERROR": 1049,
    "ER_ACCOUNT_HAS_BEEN_LOCKED": 4151,
    "ER_OPTION_PREVENTS_STATEMENT": 1290,
    "ER_READ_ONLY_MODE": 1836,
    "ER_LOCK_WAIT_TIMEOUT": 1205,
    "ER_LOCK_DEADLOCK": 1213,
    "ER_QUERY_INTERRUPTED": 1317,
    "ER_STATEMENT_TIMEOUT": 1969,
}
WRONG = {
    "ER_PARSE_ERROR": 1064,
    "ER_BAD_FIELD_ERROR": 1054,
    "ER_NO_SUCH_TABLE": 1146,
    "ER_DATA_TOO_LONG": 1406,
    "ER_TRUNCATED_WRONG_VALUE_FOR_FIELD": 1366,
    "ER_TRUNCATED_WRONG_VALUE": 1292,
    "ER_WARN_DATA_OUT_OF_RANGE": 1264,
    "ER_CANT_AGGREGATE_2COLLATIONS": 1267,
    "ER_BAD_NULL_ERROR": 1048,
    "ER_NO_REFERENCED_ROW_2": 1452,
    "ER_TABLEACCESS_DENIED_ERROR": 1142,
    "ER_NOT_SUPPORTED_YET": 1235,
    "ER_TOO_LONG_KEY": 1071,
    "ER_DUP_FIELDNAME": 1060,
    "ER_CONSTRAINT_FAILED": 4025,
    "no number of MariaDB": 9999,
}

Meaning = Callable[[int], Exception]


def in_a_workspace(code: int) -> Exception:
    return translate(asyncmy.OperationalError(code, "nope, secret"))


def in_the_control_plane(code: int) -> Exception:
    cause = OperationalError("SELECT secret", {}, pymysql.err.OperationalError(code, "nope, secret"))
    return DatabaseUnavailableError() if passes(cause) else cause


BOTH = pytest.mark.parametrize("meaning", [in_a_workspace, in_the_control_plane])


def told(error: Exception) -> tuple[int, list[Any]]:
    with capture_logs() as lines:
        problem, headers = describe(error)
    assert ("Retry-After" in headers) == (problem.status == HTTP_503_SERVICE_UNAVAILABLE)
    assert "secret" not in problem.detail
    return problem.status, lines


@BOTH
@pytest.mark.parametrize("code", PASSES.values(), ids=PASSES)
def test_what_the_server_lacks_may_be_asked_again(meaning: Meaning, code: int) -> None:
    status, lines = told(meaning(code))
    assert (status, [line["log_level"] for line in lines]) == (HTTP_503_SERVICE_UNAVAILABLE, ["warning"])


@BOTH
@pytest.mark.parametrize("code", WRONG.values(), ids=WRONG)
def test_a_wrong_statement_is_a_fault_of_ours_and_logged_once(meaning: Meaning, code: int) -> None:
    error = meaning(code)
    status, lines = told(error)
    assert (status, [(line["log_level"], line["exc_info"]) for line in lines]) == (
        HTTP_500_INTERNAL_SERVER_ERROR,
        [("error", error)],
    )


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (asyncmy.OperationalError("the stream ended"), 503),
        (asyncmy.InterfaceError("(0, 'Not connected')"), 503),
        (asyncmy.ProgrammingError("not all arguments converted"), 500),
        (ConnectionResetError(), 503),
        (TimeoutError(), 503),
        (EOFError(), 503),
    ],
    ids=repr,
)
def test_an_error_without_a_number_is_known_by_its_kind(error: Exception, status: int) -> None:
    assert told(translate(error))[0] == status


@pytest.mark.parametrize(
    ("kind", "passing"), [(OperationalError, True), (InterfaceError, True), (ProgrammingError, False)]
)
def test_so_it_is_in_the_control_plane(kind: type[DBAPIError], *, passing: bool) -> None:
    assert passes(kind("SELECT 1", {}, pymysql.err.MySQLError("no number"))) is passing
