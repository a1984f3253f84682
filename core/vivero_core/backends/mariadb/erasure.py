"""Drops a tenant's schemas a table at a time, so that a large one takes many short calls instead of one long."""

import time

from pymysql.cursors import Cursor

from vivero_core.backends import name_checks
from vivero_core.backends.mariadb import statements
from vivero_core.backends.mariadb.errors import SYSTEM
from vivero_core.errors import BackendUnfinishedError


def drop(cursor: Cursor, database: str, seconds: float) -> bool:
    """The schema and its audit log's; True when there was one. At least one table goes at each call.

    Raises:
        BackendUnfinishedError: tables are left after `seconds`; call again to continue.
    """
    deadline = time.monotonic() + seconds
    schemas = (database, name_checks.audit_database(database))
    dropped = [_drop(cursor, schema, deadline) for schema in schemas]
    return any(dropped)


def _drop(cursor: Cursor, schema: str, deadline: float) -> bool:
    cursor.execute(*statements.find_database(schema))
    if cursor.fetchone() is None:
        return False
    cursor.execute(*statements.find_tables(schema))
    tables = [str(row[0]) for row in cursor.fetchall()]
    for number, table in enumerate(tables):
        if number and time.monotonic() > deadline:
            raise BackendUnfinishedError(
                SYSTEM, f"drop database {schema}: {len(tables) - number} tables left, continues at the next call"
            )
        cursor.execute(*statements.drop_table(schema, table))
    cursor.execute(*statements.drop_database(schema))
    return True
