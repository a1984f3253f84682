"""The programs of a schema: its views, triggers, functions, procedures and packages, read from one and made in another (ADR 0049).

Read is what the server itself shows, without a DEFINER and cut wherever it names its own schema. They are made by the login
that they are to run as, over a connection of that login: whatever one says, it may no more than its schema's owner.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import pymysql
from pymysql.cursors import Cursor

from vivero_core.backends.mariadb.errors import SYSTEM, code_of
from vivero_core.backends.mariadb.program import (
    ROUTINES,
    TRIGGER,
    VIEW,
    Foreign,
    Others,
    Program,
    ProgramError,
    of_shown,
    require_kind,
)
from vivero_core.backends.mariadb.statements import Statement, identifier

_OF_A_VIEW: Final = frozenset({1146, 1305, 1356})
"""It names a table or a function that is not there, or not yet, or a view that is itself so."""
_INVALID_VIEW: Final = 1356
_SHOWN: Final = "SET STATEMENT sql_mode = '', sql_quote_show_create = 1 FOR "


def read(cursor: Cursor, schema: str, foreign: Iterable[Foreign] = ()) -> list[Program]:
    """Those of a schema, in the order in which they can be made. The session is in no schema.

    Raises:
        ProgramError: one that this login cannot read, and that is not among the foreign ones.
    """
    known = {(one.program.kind, one.program.name, one.altered): one.program for one in foreign}
    found = [
        known.get((str(kind), str(name), str(altered))) or _routine(cursor, schema, str(kind), str(name))
        for kind, name, altered, _ in _rows(cursor, _routines(schema))
    ]
    found += [_view(cursor, schema, str(name)) for (name,) in _rows(cursor, views(schema))]
    return found + [_trigger(cursor, schema, str(name)) for (name,) in _rows(cursor, _triggers(schema))]


def of_others(cursor: Cursor, schema: str, owner: str) -> Others:
    """What is there of others than this user, as an administrator reads it. Raises ProgramError."""
    routines = [
        Foreign(_routine(cursor, schema, str(kind), str(name)), str(altered))
        for kind, name, altered, definer in _rows(cursor, _routines(schema))
        if definer != f"{owner}@%"
    ]
    query = "SELECT EVENT_NAME FROM INFORMATION_SCHEMA.EVENTS WHERE EVENT_SCHEMA = %s ORDER BY 1"
    return Others(tuple(routines), tuple(str(name) for (name,) in _rows(cursor, (query, (schema,)))))


def make(cursor: Cursor, programs: Iterable[Program], schema: str) -> None:
    """Make them in this schema, which the session is in; those that are there are replaced.

    Raises:
        ProgramError: one cannot be made.
    """
    valid = [one for one in programs if not one.invalid]
    for one in valid:
        require_kind(one, schema)
    for one in (one for one in valid if one.kind in ROUTINES):
        _make(cursor, one, schema)
    _make_views(cursor, [one for one in valid if one.kind == VIEW], schema)
    for one in (one for one in valid if one.kind == TRIGGER):
        _make(cursor, one, schema)


def drop(cursor: Cursor, programs: Iterable[Program], schema: str) -> None:
    """Drop them from this schema, by whoever may; what is not there is not."""
    cursor.execute("SET sql_mode = ORACLE")  # else it knows no packages
    for one in programs:
        cursor.execute(f"DROP {one.kind} IF EXISTS {identifier(schema)}.{identifier(one.name)}", ())
    cursor.execute("SET sql_mode = DEFAULT")


def views(schema: str) -> Statement:
    """Their names."""
    query = (
        "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_TYPE = 'VIEW' ORDER BY 1"
    )
    return query, (schema,)


def _triggers(schema: str) -> Statement:
    order = "EVENT_OBJECT_TABLE, EVENT_MANIPULATION, ACTION_TIMING, ACTION_ORDER"
    query = f"SELECT TRIGGER_NAME FROM INFORMATION_SCHEMA.TRIGGERS WHERE TRIGGER_SCHEMA = %s ORDER BY {order}"  # noqa: S608  texts of our own
    return query, (schema,)


def _routines(schema: str) -> Statement:
    """A package comes before its body."""
    columns = "ROUTINE_TYPE, ROUTINE_NAME, LAST_ALTERED, DEFINER"
    query = f"SELECT {columns} FROM INFORMATION_SCHEMA.ROUTINES WHERE ROUTINE_SCHEMA = %s ORDER BY 1, 2"  # noqa: S608  texts of our own
    return query, (schema,)


def _view(cursor: Cursor, schema: str, name: str) -> Program:
    (row,) = _shown(cursor, VIEW, schema, name)
    cursor.execute("SHOW WARNINGS")
    invalid = any(code == _INVALID_VIEW for _, code, _ in cursor.fetchall())
    return of_shown(VIEW, name, row[1], schema, collation=row[3], invalid=invalid)


def _trigger(cursor: Cursor, schema: str, name: str) -> Program:
    (row,) = _shown(cursor, TRIGGER, schema, name)
    return of_shown(TRIGGER, name, row[2], schema, sql_mode=row[1], collation=row[4], schema_collation=row[5])


def _routine(cursor: Cursor, schema: str, kind: str, name: str) -> Program:
    (row,) = _shown(cursor, kind, schema, name)
    return of_shown(kind, name, row[2], schema, sql_mode=row[1], collation=row[4], schema_collation=row[5])


def _make_views(cursor: Cursor, waiting: list[Program], schema: str) -> None:
    """Each behind those that it is made of, which only the server knows for certain."""
    while waiting:
        failed = [(one, error) for one in waiting if (error := _attempt(cursor, one, schema)) is not None]
        if len(failed) == len(waiting):
            one, error = failed[0]
            raise _unmade(one, error) from error
        waiting = [one for one, _ in failed]


def _attempt(cursor: Cursor, view: Program, schema: str) -> pymysql.MySQLError | None:
    """Why it cannot be made yet."""
    try:
        _create(cursor, view, schema)
    except pymysql.MySQLError as error:
        if code_of(error) not in _OF_A_VIEW:
            raise _unmade(view, error) from error
        return error
    return None


def _make(cursor: Cursor, program: Program, schema: str) -> None:
    cursor.execute("SELECT @@collation_database")
    row = cursor.fetchone()
    assert row is not None  # noqa: S101  the session is in a schema
    own = str(row[0])
    try:
        if program.schema_collation not in ("", own):
            _set_collation(cursor, schema, program.schema_collation)
        _create(cursor, program, schema)
    except pymysql.MySQLError as error:
        raise _unmade(program, error) from error
    finally:
        if program.schema_collation not in ("", own):
            _set_collation(cursor, schema, own)


def _set_collation(cursor: Cursor, schema: str, collation: str) -> None:
    cursor.execute(f"ALTER DATABASE {identifier(schema)} COLLATE %s", (collation,))


def _create(cursor: Cursor, program: Program, schema: str) -> None:
    cursor.execute("SET sql_mode = %s", (program.sql_mode,))
    if program.collation:
        cursor.execute("SET collation_connection = %s", (program.collation,))
    cursor.execute(f"CREATE OR REPLACE{program.statement(schema).removeprefix('CREATE')}")


def _unmade(program: Program, error: pymysql.MySQLError) -> ProgramError:
    return ProgramError(SYSTEM, f"{program} cannot be made: error {code_of(error)}")


def _shown(cursor: Cursor, kind: str, schema: str, name: str) -> Sequence[tuple[Any, ...]]:
    return _rows(cursor, (f"{_SHOWN}SHOW CREATE {kind} {identifier(schema)}.{identifier(name)}", ()))


def _rows(cursor: Cursor, statement: Statement) -> Sequence[tuple[Any, ...]]:
    cursor.execute(*statement)
    return cursor.fetchall()
