"""Translates the database driver's errors into this package's."""

import re
from typing import Final

from asyncmy.errors import Error, IntegrityError, InterfaceError, MySQLError, OperationalError
from vivero_web.errors import UnavailableError, WebError
from vivero_web.mariadb import passes

_DUPLICATE: Final = 1062
_NO_TABLE: Final = 1146
_STATEMENT_TIMEOUT: Final = 1969
_KEY: Final = re.compile(r"for key '(?:[^'.]*\.)?([^'.]+)'$")


class DuplicateKeyError(WebError):
    """A unique key rejected a row; `key` is the index's name. Services turn it into a conflict or a field error."""

    def __init__(self, key: str) -> None:
        super().__init__("a unique key refused the row")
        self.key = key


class StatementTimeoutError(UnavailableError):
    """The server ended a statement that took longer than it may."""


class MissingTableError(WebError):
    """A table is missing: the schema is empty or incomplete."""


class DatabaseError(WebError):
    """The database rejected a statement and a retry will not help; `code` is the server's error number."""

    def __init__(self, code: int) -> None:
        super().__init__("The database refused a statement.")
        self.code = code


def translate(error: BaseException) -> WebError:
    """Our error for one of the driver or the network."""
    if not isinstance(error, MySQLError):
        return UnavailableError("The database does not answer.")
    code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    if isinstance(error, IntegrityError) and code == _DUPLICATE:
        match = _KEY.search(str(error.args[1]))
        return DuplicateKeyError(match[1] if match else "")
    if code == _NO_TABLE:
        return MissingTableError("A table of the schema is missing.")
    if code == _STATEMENT_TIMEOUT:
        return StatementTimeoutError("The database was busy with this for too long.")
    if passes(code) or (isinstance(error, OperationalError | InterfaceError) and not code):
        return UnavailableError("The database does not answer.")
    return DatabaseError(code)


# What a driver call can raise for external reasons.
DRIVER_ERRORS: Final = (Error, OSError, TimeoutError, EOFError)
