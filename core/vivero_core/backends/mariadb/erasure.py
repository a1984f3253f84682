"""Drops a tenant's schemas a table at a time, so that a large one takes many short calls instead of one long."""

import time

from pymysql.cursors import Cursor

from vivero_core.backends import name_checks
from vivero_core.backends.mariadb import statements
from vivero_core.backends.mariadb.errors import SYSTEM
from vivero_core.errors import BackendUnfinishedError


def drop(cursor: Cursor, database: str, seconds: float) -> bool:
    """All schemas of the tenant; True when there was one. At least one table goes at each call.

    Raises:
        BackendUnfinishedError: tables are left after `seconds`; call again to continue.
    """
    deadline = time.monotonic() + seconds
    dropped = [drop_schema(cursor, schema, deadline) for schema in name_checks.schemas(database)]
    return any(dropped)


def tables(cursor: Cursor, schema: str) -> list[str]:
    """Of a schema; none where it is not there."""
    cursor.execute(*statements.find_tables(schema))
    return [str(row[0]) for row in cursor.fetchall()]


def drop_schema(cursor: Cursor, schema: str, deadline: float) -> bool:
    """One of them; True when it was there. The first of its tables goes whatever the time is."""
    cursor.execute(*statements.find_database(schema))
    if cursor.fetchone() is None:
        return False
    present = tables(cursor, schema)
    for number, table in enumerate(present):
        if number and time.monotonic() > deadline:
            raise BackendUnfinishedError(
                SYSTEM, f"drop database {schema}: {len(present) - number} tables left, continues at the next call"
            )
        cursor.execute(*statements.drop_table(schema, table))
    cursor.execute(*statements.drop_database(schema))
    return True
