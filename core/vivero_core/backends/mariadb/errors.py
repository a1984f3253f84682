"""Translates pymysql's errors: what passes by, what is refused, what is not there."""

import contextlib
import ssl
from collections.abc import Iterator

import pymysql

from vivero_core.errors import (
    BackendAuthenticationError,
    BackendError,
    BackendNotFoundError,
    BackendRefusedError,
    BackendUnavailableError,
)

SYSTEM = "mariadb"

USER_LIMIT_REACHED = 1226  # after the password was accepted: MAX_USER_CONNECTIONS

_AUTHENTICATION = {
    1045: "the login is not accepted",
    1698: "the login is not accepted",
    4151: "the account is locked",
}
_UNAVAILABLE = {
    1040: "too many connections",
    1053: "the server is shutting down",
    1158: "the connection broke",
    1159: "the connection timed out",
    1160: "the connection broke",
    1161: "the connection timed out",
    1203: "the user has too many connections",
    1205: "a lock was not granted in time",
    1213: "a deadlock",
    USER_LIMIT_REACHED: "the user has too many connections",
    1290: "the server is read-only",
    1836: "the server is read-only",
    1969: "the statement took too long",
    2003: "no connection",
    2006: "the connection is gone",
    2013: "the connection was lost",
    2014: "the connection is out of step",
}


@contextlib.contextmanager
def translated(doing: str) -> Iterator[None]:
    """Raise a BackendError, its cause chained, for any error of pymysql in the block.

    The server's own text stays out of the message: it can quote a statement.
    """
    try:
        yield
    except pymysql.MySQLError as error:
        raise _translation(error, doing) from error


def code_of(error: BaseException | None) -> int:
    """The server's (or pymysql's own) number for an error; 0 without one."""
    first = error.args[0] if isinstance(error, pymysql.MySQLError) and error.args else 0
    return first if isinstance(first, int) else 0


def _translation(error: pymysql.MySQLError, doing: str) -> BackendError:
    code = code_of(error)
    if isinstance(getattr(error, "original_exception", None), ssl.SSLCertVerificationError):
        return BackendRefusedError(SYSTEM, f"{doing}: the server's certificate is not trusted")
    if code in _AUTHENTICATION:
        return BackendAuthenticationError(SYSTEM, f"{doing}: {_AUTHENTICATION[code]}")
    if code in _UNAVAILABLE:
        return BackendUnavailableError(SYSTEM, f"{doing}: {_UNAVAILABLE[code]} (error {code})")
    if code == 1049:  # noqa: PLR2004  ER_BAD_DB_ERROR
        return BackendNotFoundError(SYSTEM, f"{doing}: no such database")
    return BackendRefusedError(SYSTEM, f"{doing}: error {code}")
