"""Drops a tenant's schema a table at a time, so that a large one takes many short calls instead of one long."""

import time

from pymysql.cursors import Cursor

from vivero_core.backends.mariadb import statements
from vivero_core.backends.mariadb.errors import SYSTEM
from vivero_core.errors import BackendUnfinishedError


def drop(cursor: Cursor, database: str, seconds: float) -> bool:
    """True when there was a schema; at least one table goes at each call.

    Raises:
        BackendUnfinishedError: tables are left after `seconds`; call again to go on.
    """
    deadline = time.monotonic() + seconds
    cursor.execute(*statements.find_database(database))
    if cursor.fetchone() is None:
        return False
    cursor.execute(*statements.find_tables(database))
    tables = [str(row[0]) for row in cursor.fetchall()]
    for number, table in enumerate(tables):
        if number and time.monotonic() > deadline:
            raise BackendUnfinishedError(SYSTEM, f"drop database {database}: {len(tables) - number} tables are left")
        cursor.execute(*statements.drop_table(database, table))
    cursor.execute(*statements.drop_database(database))
    return True
