"""Puts other tables in the place of a tenant's (ADR 0043).

They are loaded into a schema beside the live one, `vt<id>next`. One statement then moves the live tables to `vt<id>last`
and the loaded ones into their place: whoever asks meanwhile finds all of the old ones or all of the new ones.

Views, triggers and routines cannot be moved, and a trigger holds its table fast. They are written down in `vt<id>last`,
dropped just before, and made in the live schema just behind, by the tenant's own login.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from pymysql.cursors import Cursor

from vivero_core.backends import name_checks
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.mariadb import audit, erasure, programs, rights, sessions, statements
from vivero_core.backends.mariadb.errors import SYSTEM
from vivero_core.backends.mariadb.program import Program
from vivero_core.backends.mariadb.rights import Account
from vivero_core.backends.mariadb.statements import Statement, identifier, quoted_database, quoted_user
from vivero_core.errors import BackendUnfinishedError

PRIVILEGES: Final = frozenset(
    {"SELECT", "INSERT", "CREATE", "DROP", "ALTER", "INDEX", "REFERENCES", "LOCK TABLES", "CREATE VIEW", "SHOW VIEW"}
    | {"TRIGGER", "CREATE ROUTINE", "ALTER ROUTINE", "EXECUTE"}
)
"""What a dump's statements need, and the dump that what was loaded is compared by."""
KEPT: Final = "vivero_programs"
"""A table of `vt<id>last`: the programs of both sides of a switch."""
_BEFORE, _AFTER, _REPLACED = "before", "after", "replaced"
ACTION: Final = "workspace.restore"
"""In the audit log."""
SETTLED: Final = 2
"""Seconds: an archive dates by the second, rounded up."""
_ANY_HOST: Final = "%"
_MOVED: Final = "TABLE_TYPE IN ('BASE TABLE', 'SEQUENCE', 'SYSTEM VERSIONED')"


@dataclass(frozen=True)
class Replacement:
    """What the audit log says of one."""

    uid: str
    """Of the TenantRestore."""
    name: str
    source: str
    """The second that the data is from, or the TenantBackup."""


@dataclass(frozen=True)
class Announced:
    """An entry of the audit log behind all that the live tables hold."""

    second: int
    """Unix seconds by the server's clock: all of it was committed by then, and is dated so by the archive."""
    age: int
    """Whole seconds since it was made. What is committed `SETTLED` later is dated later than `second`."""


def wanted_grants(database: str) -> dict[str, frozenset[str]]:
    """All that the user may who loads."""
    schema = quoted_database(name_checks.next_database(database))
    return {statements.GLOBAL: frozenset({"USAGE"}), f"{schema}.*": PRIVILEGES}


def begin(cursor: Cursor, database: str, user: Credentials, max_connections: int, deadline: float) -> None:
    """An empty schema `next`, and a user who may fill it.

    Raises:
        BackendUnfinishedError: one from before is still being dropped; call again to continue.
    """
    discard(cursor, database, deadline)
    schema = name_checks.next_database(database)
    cursor.execute(*statements.create_database(schema))
    cursor.execute(*statements.replace_user(user.name, user.secret, max_connections))
    cursor.execute(
        f"GRANT {', '.join(sorted(PRIVILEGES))} ON {quoted_database(schema)}.* TO {quoted_user(user.name)}", ()
    )


def discard(cursor: Cursor, database: str, deadline: float) -> None:
    """Remove what was loaded, and its user.

    Raises:
        BackendUnfinishedError: call again to continue.
    """
    loader = Account(name_checks.loading_user(database), _ANY_HOST)
    cursor.execute(*rights.drop(loader, role=False))
    sessions.end(cursor, loader)
    erasure.drop_schema(cursor, name_checks.next_database(database), deadline)


def prepare(cursor: Cursor, database: str, deadline: float) -> str | None:
    """Drop what an earlier replacement has left in `last`, so that the switch itself is short.

    Returns why the loaded tables cannot take the place of the live ones, as a sentence; None if they can.

    Raises:
        BackendUnfinishedError: call again to continue.
    """
    problem = _obstacle(cursor, database)
    if problem is None:
        erasure.drop_schema(cursor, name_checks.last_database(database), deadline)
    return problem


def _obstacle(cursor: Cursor, database: str) -> str | None:
    if KEPT in _names(cursor, _tables(database)):
        return f"the live schema holds a table {KEPT}, whose name is needed: rename that first"
    oldest = single_value(cursor, name_checks.next_database(database), "schema_compatibility", "oldest_program")
    running = single_value(cursor, database, "alembic_version", "version_num")
    if oldest is not None and running is not None and oldest > running:
        return f"the restored schema needs a program of revision {oldest}, and the live one is of {running}"
    return None


def announce(cursor: Cursor, database: str, told: Replacement) -> Announced:
    """Add an entry to the audit log once nobody writes any more, unless it is there."""
    cursor.execute(*_note(database, told))
    cursor.execute(*_noted(database, told))
    row = cursor.fetchone()
    assert row is not None  # noqa: S101  it was inserted, and nobody may delete it
    return Announced(int(row[0]) + 1, int(row[1]))


def switch(cursor: Cursor, database: str) -> bool:
    """Move the live tables to `last` and the loaded ones into their place, unless an attempt before has done so.

    Returns whether that is done now; if not, nothing was loaded. After `prepare` there is no `last` but this one's. What
    `awaited` says is then still to be made, before `settle`.

    Raises:
        BackendUnfinishedError: an earlier call's statement still runs; call again.
    """
    # One that takes longer than we wait goes on without us: nothing is to be read or written beside it.
    cursor.execute(*_running(database))
    if cursor.fetchone() is not None:
        raise BackendUnfinishedError(SYSTEM, f"the tables of {database} are still being moved")
    upcoming, former = name_checks.next_database(database), name_checks.last_database(database)
    loaded = _names(cursor, _tables(upcoming))
    if loaded:
        cursor.execute(*statements.create_database(former))
        _keep(cursor, database)
        programs.drop(cursor, _kept(cursor, database, _BEFORE), database)
        programs.drop(cursor, _kept(cursor, database, _AFTER), upcoming)
        live = _names(cursor, _tables(database))
        cursor.execute(*_rename([*_moves(database, former, live), *_moves(upcoming, database, loaded)]))
    cursor.execute(*statements.find_database(former))
    return cursor.fetchone() is not None


def awaited(cursor: Cursor, database: str) -> list[Program]:
    """What is to be made in the live schema once its tables were switched."""
    return _kept(cursor, database, _AFTER)


def settle(cursor: Cursor, database: str, deadline: float) -> None:
    """All of it was made.

    Raises:
        BackendUnfinishedError: `next` is still being dropped; call again.
    """
    if _is_kept(cursor, database):
        table = _table_of_kept(database)
        cursor.execute(f"UPDATE {table} SET side = %s WHERE side = %s", (_REPLACED, _BEFORE))  # noqa: S608  names of our own
        cursor.execute(f"DELETE FROM {table} WHERE side = %s", (_AFTER,))  # noqa: S608  names of our own
    discard(cursor, database, deadline)


def taken_away(cursor: Cursor, database: str) -> list[Program]:
    """What the live schema lacks after a switch that was given up before its tables were moved."""
    if not _names(cursor, _tables(name_checks.next_database(database))):
        return []
    there = {(one.kind, one.name) for one in programs.read(cursor, database)}
    return [one for one in _kept(cursor, database, _BEFORE) if (one.kind, one.name) not in there]


def _keep(cursor: Cursor, database: str) -> None:
    """Write down what is about to be dropped, all of it or nothing, unless an attempt before has done so."""
    table = _table_of_kept(database)
    cursor.execute(
        f"CREATE TABLE IF NOT EXISTS {table} (side VARCHAR(8) CHARACTER SET ascii, number INT, program LONGTEXT,"
        f" PRIMARY KEY (side, number)) {statements.DEFAULTS} ENGINE=InnoDB",
        (),
    )
    if _kept(cursor, database, _BEFORE) or _kept(cursor, database, _AFTER):
        return
    sides = ((_BEFORE, database), (_AFTER, name_checks.next_database(database)))
    found = [(side, program) for side, schema in sides for program in programs.read(cursor, schema)]
    cursor.execute("START TRANSACTION")
    for number, (side, program) in enumerate(found):
        cursor.execute(f"INSERT INTO {table} VALUES (%s, %s, %s)", (side, number, program.dump()))  # noqa: S608  names of our own
    cursor.execute("COMMIT")


def _kept(cursor: Cursor, database: str, side: str) -> list[Program]:
    if not _is_kept(cursor, database):
        return []
    query = f"SELECT program FROM {_table_of_kept(database)} WHERE side = %s ORDER BY number"  # noqa: S608  names of our own
    return [Program.load(text) for text in _names(cursor, (query, (side,)))]


def _is_kept(cursor: Cursor, database: str) -> bool:
    return KEPT in _names(cursor, _tables(name_checks.last_database(database)))


def _table_of_kept(database: str) -> str:
    return f"{quoted_database(name_checks.last_database(database))}.{KEPT}"


def _tables(schema: str) -> Statement:
    query = f"SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = %s AND {_MOVED}"  # noqa: S608  texts of our own
    return query, (name_checks.schema(schema),)


def _moves(source: str, target: str, tables: Iterable[str]) -> list[str]:
    return [
        f"{quoted_database(source)}.{identifier(table)} TO {quoted_database(target)}.{identifier(table)}"
        for table in tables
    ]


def _running(database: str) -> Statement:
    """Another session of ours that moves the tables."""
    ours = "USER = SUBSTRING_INDEX(USER(), '@', 1) AND ID <> CONNECTION_ID()"
    return (
        f"SELECT 1 FROM INFORMATION_SCHEMA.PROCESSLIST WHERE {ours} AND INFO LIKE %s LIMIT 1",  # noqa: S608  a text of our own
        (f"RENAME TABLE {quoted_database(database)}.%",),
    )


def _rename(moves: Sequence[str]) -> Statement:
    """Waits as long for transactions on the live tables as a session of ours waits for any lock."""
    return f"RENAME TABLE {', '.join(moves)}", ()


def _note(database: str, told: Replacement) -> Statement:
    table = f"{quoted_database(name_checks.audit_database(database))}.{audit.TABLE}"
    after = json.dumps({"from": told.source})
    statement = (
        f"INSERT INTO {table} (at, actor, action, subject, after_values, request_id)"  # noqa: S608  names of our own
        f" SELECT UTC_TIMESTAMP(6), 'system', %s, %s, %s, %s FROM DUAL"
        f" WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE action = %s AND request_id = %s)"
    )
    return statement, (ACTION, told.name, after, told.uid, ACTION, told.uid)


def _noted(database: str, told: Replacement) -> Statement:
    """The second of that entry, in Unix seconds, and how many have passed since."""
    table = f"{quoted_database(name_checks.audit_database(database))}.{audit.TABLE}"
    seconds = "TIMESTAMPDIFF(SECOND, '1970-01-01', at), TIMESTAMPDIFF(SECOND, at, UTC_TIMESTAMP(6))"
    return f"SELECT {seconds} FROM {table} WHERE action = %s AND request_id = %s", (ACTION, told.uid)  # noqa: S608  names of our own


def _names(cursor: Cursor, statement: Statement) -> list[str]:
    cursor.execute(*statement)
    return [str(name) for (name,) in cursor.fetchall()]


def single_value(cursor: Cursor, schema: str, table: str, column: str) -> str | None:
    """Of a workspace's table with one row; None without it."""
    cursor.execute(
        "SELECT 1 FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s AND COLUMN_NAME = %s",
        (name_checks.schema(schema), table, column),
    )
    if cursor.fetchone() is None:
        return None
    cursor.execute(f"SELECT {column} FROM {quoted_database(schema)}.{table}", ())  # noqa: S608  names of our own
    row = cursor.fetchone()
    return str(row[0]) if row else None
