"""Translates pymysql's errors: transient, refused, not found."""

import contextlib
import socket
import ssl
from collections.abc import Iterator
from typing import Final

import pymysql

from vivero_core.errors import (
    BackendAuthenticationError,
    BackendError,
    BackendNotFoundError,
    BackendRefusedError,
    BackendUnavailableError,
    BackendUnfinishedError,
)

SYSTEM: Final = "mariadb"

USER_LIMIT_REACHED: Final = 1226  # after the password was accepted: MAX_USER_CONNECTIONS
NO_SUCH_GRANT: Final = frozenset({1133, 1141, 1147, 1403, 1959})
"""Errors of a REVOKE for an account, a role or a right that is not there."""
ACCESS_DENIED: Final = frozenset({1044, 1142, 1370})
"""To a schema, a table, a routine: of a REVOKE, also when the administrator lacks one of the privileges it names."""
NO_SUCH_CONNECTION: Final = 1094
NOT_ALLOWED: Final = 1698
"""Of REVOKE PROXY: only who may pass that right on may take it."""

_AUTHENTICATION: Final = {
    1045: "access denied",
    1698: "access denied",
    1820: "the password has expired",
    1862: "the password has expired",
    4151: "the account is locked",
}
# The server cannot serve anybody.
_UNAVAILABLE: Final = {
    1040: "too many connections",
    1053: "server shutdown in progress",
    1158: "error reading from the connection",
    1159: "timeout reading from the connection",
    1160: "error writing to the connection",
    1161: "timeout writing to the connection",
    1203: "max_user_connections exceeded",
    USER_LIMIT_REACHED: "max_user_connections exceeded",
    1290: "the server is read-only",
    1836: "the server is read-only",
    2003: "cannot connect",
    2006: "the server has gone away",
    2013: "lost connection during the query",
    2014: "commands out of sync",
}
# The server responds: this one statement met another's lock, took too long, or was killed.
_UNFINISHED: Final = {
    1205: "lock wait timeout exceeded",
    1213: "deadlock",
    1317: "query execution was interrupted",
    1927: "the connection was killed",
    1969: "max_statement_time exceeded",
}
_OF_THE_LOGIN: Final = frozenset({1203, USER_LIMIT_REACHED})


@contextlib.contextmanager
def translated(doing: str, *, tenants_login: bool = False, tenants_data: bool = False) -> Iterator[None]:
    """Raise a BackendError, its cause chained, for any error of pymysql in the block.

    The server's own text stays out of the message: it can quote a statement.

    Args:
        doing: what, for the message.
        tenants_login: a tenant's login is used, so its limits say nothing about the server.
        tenants_data: a tenant's data is worked on, so that no answer in time may be its size; a broken connection
            still is an outage.
    """
    try:
        yield
    except pymysql.MySQLError as error:
        unfinished = (tenants_login and code_of(error) in _OF_THE_LOGIN) or (tenants_data and _timed_out(error))
        raise _unfinished(error, doing) if unfinished else _translation(error, doing) from error


def code_of(error: BaseException | None) -> int:
    """The server's (or pymysql's own) number for an error; 0 without one."""
    first = error.args[0] if isinstance(error, pymysql.MySQLError) and error.args else 0
    return first if isinstance(first, int) else 0


def _timed_out(error: BaseException) -> bool:
    return isinstance(error.__context__, TimeoutError)


def _unfinished(error: pymysql.MySQLError, doing: str) -> BackendError:
    code = code_of(error)
    words = _UNFINISHED.get(code) or (_UNAVAILABLE[code] if code in _OF_THE_LOGIN else "timeout")
    return BackendUnfinishedError(SYSTEM, f"{doing}: {words} (error {code})")


def _translation(error: pymysql.MySQLError, doing: str) -> BackendError:
    code = code_of(error)
    original = getattr(error, "original_exception", None)
    if isinstance(original, ssl.SSLCertVerificationError):
        return BackendRefusedError(SYSTEM, f"{doing}: certificate verification failed")
    if code in _AUTHENTICATION:
        return BackendAuthenticationError(SYSTEM, f"{doing}: {_AUTHENTICATION[code]}")
    if code in _UNFINISHED:
        return _unfinished(error, doing)
    if code in _UNAVAILABLE:
        return BackendUnavailableError(SYSTEM, f"{doing}: {_UNAVAILABLE[code]}{_why(original)} (error {code})")
    if code == 1049:  # noqa: PLR2004  ER_BAD_DB_ERROR
        return BackendNotFoundError(SYSTEM, f"{doing}: unknown database")
    return BackendRefusedError(SYSTEM, f"{doing}: error {code}")


def _why(original: BaseException | None) -> str:
    """What a person can look for when there is no connection."""
    if isinstance(original, socket.gaierror):
        return ", the host name cannot be resolved"
    if isinstance(original, ConnectionRefusedError):
        return ", connection refused"
    return ""
