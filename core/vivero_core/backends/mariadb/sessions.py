"""Ends connections: who loses an account or a right keeps what the login gave, until the session is over.

A server lets only some accounts end others' connections. RDS gives nobody that right, and has a procedure for it, which
takes one connection at a time. Whether it is there is asked before each use, which is rare: what a server is may change
under its name (a restore, a migration), and a wrong answer would leave an intruder connected.
"""

from collections.abc import Iterable
from typing import Final

import pymysql
from pymysql.cursors import Cursor

from vivero_core.backends import name_checks
from vivero_core.backends.mariadb.errors import NO_SUCH_CONNECTION, code_of
from vivero_core.backends.mariadb.rights import Account, quoted
from vivero_core.backends.mariadb.statements import Statement

_ANY_HOST: Final = "%"
_FIND_PROCEDURE: Final[Statement] = (
    "SELECT 1 FROM INFORMATION_SCHEMA.ROUTINES WHERE ROUTINE_SCHEMA = 'mysql' AND ROUTINE_NAME = 'rds_kill'",
    (),
)


def of_user(user: str) -> Statement:
    """(id, where from) of the connections of a user, to the letter."""
    return "SELECT ID, HOST FROM INFORMATION_SCHEMA.PROCESSLIST WHERE BINARY USER = %s", (user,)


def in_schema(schema: str, user: str) -> Statement:
    """The same of those that have the schema selected."""
    return "SELECT ID, HOST FROM INFORMATION_SCHEMA.PROCESSLIST WHERE DB = %s AND USER = %s", (
        name_checks.schema(schema),
        user,
    )


def is_from(host: str, where: str) -> bool:
    """Whether `where`, in the server's list a host with or without a port, is this host; `%` is every one."""
    name, colon, port = where.rpartition(":")
    return host in (_ANY_HOST, name if colon and port.isdigit() else where)


def end(cursor: Cursor, account: Account) -> None:
    """The connections of this user from this host, as the server writes it in its list; `%` is every host."""
    if not _by_procedure(cursor):
        cursor.execute(f"KILL HARD CONNECTION USER {quoted(account)}", ())
        return
    cursor.execute(*of_user(account.user))
    _end(cursor, [int(ident) for ident, where in cursor.fetchall() if is_from(account.host, str(where))])


def end_in(cursor: Cursor, schema: str, user: str) -> None:
    """The user's connections that have the schema selected: they keep the rights of their login."""
    cursor.execute(*in_schema(schema, user))
    _end(cursor, [int(ident) for ident, _ in cursor.fetchall()])


def _by_procedure(cursor: Cursor) -> bool:
    cursor.execute(*_FIND_PROCEDURE)
    return cursor.fetchone() is not None


def _end(cursor: Cursor, idents: Iterable[int]) -> None:
    """One that is over by itself meanwhile is as good."""
    found = list(idents)
    statement = "CALL mysql.rds_kill(%s)" if found and _by_procedure(cursor) else "KILL HARD CONNECTION %s"
    for ident in found:
        try:
            cursor.execute(statement, (ident,))
        except pymysql.MySQLError as error:
            if code_of(error) != NO_SUCH_CONNECTION:
                raise
