"""The database driver's errors in this package's words."""

import re
from typing import Final

from asyncmy.errors import Error, IntegrityError, MySQLError, OperationalError
from vivero_web.errors import UnavailableError, WebError

_DUPLICATE: Final = 1062
_NO_TABLE: Final = 1146
# Server busy, gone, or shutting down; locks and deadlocks; a statement over its
# time limit; and, while a tenant is being made, no such user or schema yet.
_TRANSIENT: Final = frozenset({
    1040, 1044, 1045, 1049, 1053, 1152, 1158, 1159, 1160, 1161, 1180, 1203, 1205, 1213, 1226, 1290, 1698,
    1927, 1969, 2002, 2003, 2005, 2006, 2013, 2014, 2055, 4031,
})  # fmt: skip
_KEY: Final = re.compile(r"for key '(?:[^'.]*\.)?([^'.]+)'$")


class DuplicateKeyError(WebError):
    """A unique key refused a row; `key` is the index's name. Services turn it into a conflict or a field error."""

    def __init__(self, key: str) -> None:
        super().__init__("a unique key refused the row")
        self.key = key


class MissingTableError(WebError):
    """A table is not there: the schema is empty or half made."""


class DatabaseError(WebError):
    """The database refused a statement for a reason that trying again will not mend; `code` is the server's number."""

    def __init__(self, code: int) -> None:
        super().__init__(f"The database refused a statement (error {code}).")
        self.code = code


def translate(error: BaseException) -> WebError:
    """The error to raise instead, from the driver's or the network's."""
    if not isinstance(error, MySQLError):
        return UnavailableError("The database does not answer.")
    code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    if isinstance(error, IntegrityError) and code == _DUPLICATE:
        match = _KEY.search(str(error.args[1]))
        return DuplicateKeyError(match[1] if match else "")
    if code == _NO_TABLE:
        return MissingTableError("A table of the schema is missing.")
    if code in _TRANSIENT or (isinstance(error, OperationalError) and not code):
        return UnavailableError("The database does not answer.")
    return DatabaseError(code)


# What a call into the driver can raise for reasons outside this program.
DRIVER_ERRORS: Final = (Error, OSError, TimeoutError, EOFError)
