"""What a statement of the binary log is about: whose schemas it changes, or that it ends a transaction.

A QUERY event names the schema that its session was in, which need not be the one that it changes: the statement has to
be read. Only its head is parsed, up to the last name of something that it changes. The body of a view or a routine is not:
it changes nothing, and its aliases may have any name. What is not understood is an error.

sqlglot was weighed: it adds 17 MiB to a program that has 40, and falls back to an opaque Command for RENAME TABLE and
CREATE TRIGGER.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from vivero_operator.archiver.bodies import Query
from vivero_operator.archiver.tokens import Cursor


class Kind(Enum):
    """What a statement does."""

    BEGIN = "begin"
    COMMIT = "commit"
    ROLLBACK = "rollback"
    SAVEPOINT = "savepoint"
    """Also a rollback to one: the transaction goes on."""
    XA = "xa"
    SCHEMA = "schema"
    """Changes schemas, or what is in them."""
    SERVER = "server"
    """Changes accounts, or what else no schema holds."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What a statement is about."""

    kind: Kind
    changed: frozenset[str] = frozenset()
    """Schemas that hold what it changes."""
    referred: frozenset[str] = frozenset()
    """Schemas that foreign keys refer to by name: what they delete there is not in the log."""


def read(query: Query) -> Statement:
    """What this statement is about.

    Raises:
        StatementError: it is not understood.
    """
    cursor = Cursor(query)
    kind = _parse(cursor, _STATEMENTS)
    cursor.drain()
    if kind is Kind.SERVER:
        return Statement(kind)
    return Statement(kind, frozenset(cursor.changed), frozenset(cursor.referred))


_Parser = Callable[[Cursor], Kind]


def _parse(cursor: Cursor, parsers: dict[str, _Parser]) -> Kind:
    parser = parsers.get(cursor.next.word)
    if parser is None:
        raise cursor.error("not a statement that a log in the format ROW holds")
    cursor.take()
    return parser(cursor)


def _always(kind: Kind) -> _Parser:
    return lambda _: kind


def _start(cursor: Cursor) -> Kind:
    cursor.expect("TRANSACTION")
    return Kind.BEGIN


def _begin(cursor: Cursor) -> Kind:
    cursor.skip("WORK")
    return _ended(cursor, Kind.BEGIN)


def _commit(cursor: Cursor) -> Kind:
    cursor.skip("WORK")
    return _ended(cursor, Kind.COMMIT)


def _rollback(cursor: Cursor) -> Kind:
    cursor.skip("WORK")
    if not cursor.skip("TO"):
        return _ended(cursor, Kind.ROLLBACK)
    cursor.skip("SAVEPOINT")
    cursor.name()
    return _ended(cursor, Kind.SAVEPOINT)


def _ended(cursor: Cursor, kind: Kind) -> Kind:
    if not cursor.ended:
        raise cursor.error("it goes on")
    return kind


def _release(cursor: Cursor) -> Kind:
    cursor.expect("SAVEPOINT")
    return _savepoint(cursor)


def _savepoint(cursor: Cursor) -> Kind:
    cursor.name()
    return _ended(cursor, Kind.SAVEPOINT)


def _xa(cursor: Cursor) -> Kind:
    cursor.expect("START", "BEGIN", "END", "PREPARE", "COMMIT", "ROLLBACK")
    return Kind.XA


def _set(cursor: Cursor) -> Kind:
    if cursor.skip("STATEMENT"):
        cursor.skip_to("FOR")
        cursor.expect("FOR")
        return _parse(cursor, _STATEMENTS)
    cursor.expect("PASSWORD", "DEFAULT")
    return Kind.SERVER


def _create(cursor: Cursor) -> Kind:
    _skip_options(cursor)
    return _parse(cursor, _CREATED)


def _alter(cursor: Cursor) -> Kind:
    _skip_options(cursor)
    return _parse(cursor, _ALTERED)


def _drop(cursor: Cursor) -> Kind:
    _skip_options(cursor)
    return _parse(cursor, _DROPPED)


_OPTIONS: Final = ("TEMPORARY", "UNIQUE", "FULLTEXT", "SPATIAL", "ONLINE", "IGNORE", "AGGREGATE")


def _skip_options(cursor: Cursor) -> None:
    """Between CREATE, ALTER or DROP and the sort of thing."""
    while True:
        if cursor.skip("ALGORITHM"):
            cursor.skip_mark("=")
            cursor.name()
        elif cursor.skip("DEFINER"):
            cursor.skip_mark("=")
            _skip_account(cursor)
        elif cursor.skip("SQL", "SECURITY"):
            cursor.name()
        elif not (cursor.skip("OR", "REPLACE") or any(cursor.skip(option) for option in _OPTIONS)):
            return


def _skip_account(cursor: Cursor) -> None:
    cursor.take()
    if cursor.skip_mark("("):  # CURRENT_USER()
        cursor.skip_mark(")")
    if cursor.skip_mark("@"):
        cursor.take()


def _skip_condition(cursor: Cursor) -> None:
    if cursor.skip("IF"):
        cursor.skip("NOT")
        cursor.expect("EXISTS")


def _one(cursor: Cursor) -> Kind:
    _skip_condition(cursor)
    cursor.thing()
    return Kind.SCHEMA


def _many(cursor: Cursor) -> Kind:
    _skip_condition(cursor)
    cursor.things()
    return Kind.SCHEMA


def _of_table(cursor: Cursor) -> Kind:
    """An index or a trigger: what counts is its table. A trigger's own qualifier is noted as one."""
    _skip_condition(cursor)
    if not cursor.skip_to("ON"):
        raise cursor.error("ON is missing")
    cursor.take()
    cursor.thing()
    return Kind.SCHEMA


def _package(cursor: Cursor) -> Kind:
    cursor.skip("BODY")
    return _one(cursor)


def _create_table(cursor: Cursor) -> Kind:
    _one(cursor)
    cursor.skip_mark("(")
    if cursor.skip("LIKE"):
        cursor.thing()
    return Kind.SCHEMA


def _create_function(cursor: Cursor) -> Kind:
    _skip_condition(cursor)
    schema = cursor.located()
    if cursor.skip("RETURNS"):  # without parentheses: from a library
        cursor.take()
        cursor.expect("SONAME")
        return Kind.SERVER
    cursor.change(schema)
    return Kind.SCHEMA


def _alter_table(cursor: Cursor) -> Kind:
    _one(cursor)
    while cursor.skip_to("RENAME", "TABLE"):
        if cursor.take().word == "RENAME":
            if cursor.at("COLUMN", "INDEX", "KEY"):
                continue
            cursor.skip_mark("=")
            if cursor.at("TO", "AS"):
                cursor.take()
        cursor.thing()  # the new name, or the table that becomes a partition or was one
    return Kind.SCHEMA


def _alter_event(cursor: Cursor) -> Kind:
    _one(cursor)
    if cursor.skip_to("RENAME", "DO") and cursor.skip("RENAME", "TO"):
        cursor.thing()
    return Kind.SCHEMA


def _schema(cursor: Cursor) -> Kind:
    _skip_condition(cursor)
    cursor.change(cursor.name())
    return Kind.SCHEMA


def _alter_schema(cursor: Cursor) -> Kind:
    named = not cursor.at("DEFAULT", "CHARACTER", "CHARSET", "COLLATE", "COMMENT")
    cursor.change(cursor.name() if named else cursor.query.schema)
    return Kind.SCHEMA


def _rename(cursor: Cursor) -> Kind:
    if cursor.skip("USER"):
        return Kind.SERVER
    cursor.expect("TABLE", "TABLES")
    _skip_condition(cursor)
    while True:
        cursor.thing()
        if not cursor.skip("NOWAIT") and cursor.skip("WAIT"):
            cursor.name()
        cursor.expect("TO")
        cursor.thing()
        if not cursor.skip_mark(","):
            return Kind.SCHEMA


def _truncate(cursor: Cursor) -> Kind:
    cursor.skip("TABLE")
    cursor.thing()
    return Kind.SCHEMA


def _maintain(cursor: Cursor) -> Kind:
    _ = cursor.skip("NO_WRITE_TO_BINLOG") or cursor.skip("LOCAL")
    cursor.expect("TABLE", "TABLES")
    cursor.things()
    return Kind.SCHEMA


_SERVER: Final = _always(Kind.SERVER)
_OF_SERVER: Final[dict[str, _Parser]] = dict.fromkeys(("USER", "ROLE", "SERVER"), _SERVER)
_CREATED: Final[dict[str, _Parser]] = {
    **_OF_SERVER,
    "TABLE": _create_table,
    "INDEX": _of_table,
    "TRIGGER": _of_table,
    "VIEW": _one,
    "SEQUENCE": _one,
    "PROCEDURE": _one,
    "FUNCTION": _create_function,
    "PACKAGE": _package,
    "EVENT": _one,
    "DATABASE": _schema,
    "SCHEMA": _schema,
}
_ALTERED: Final[dict[str, _Parser]] = {
    **_OF_SERVER,
    "TABLE": _alter_table,
    "VIEW": _one,
    "SEQUENCE": _one,
    "PROCEDURE": _one,
    "FUNCTION": _one,
    "EVENT": _alter_event,
    "DATABASE": _alter_schema,
    "SCHEMA": _alter_schema,
}
_DROPPED: Final[dict[str, _Parser]] = {
    **_OF_SERVER,
    "TABLE": _many,
    "TABLES": _many,
    "VIEW": _many,
    "SEQUENCE": _many,
    "INDEX": _of_table,
    "TRIGGER": _one,
    "PROCEDURE": _one,
    "FUNCTION": _one,
    "PACKAGE": _package,
    "EVENT": _one,
    "DATABASE": _schema,
    "SCHEMA": _schema,
}
_STATEMENTS: Final[dict[str, _Parser]] = {
    "BEGIN": _begin,
    "START": _start,
    "COMMIT": _commit,
    "ROLLBACK": _rollback,
    "SAVEPOINT": _savepoint,
    "RELEASE": _release,
    "XA": _xa,
    "CREATE": _create,
    "ALTER": _alter,
    "DROP": _drop,
    "RENAME": _rename,
    "TRUNCATE": _truncate,
    **dict.fromkeys(("ANALYZE", "OPTIMIZE", "REPAIR"), _maintain),
    "SET": _set,
    **dict.fromkeys(("GRANT", "REVOKE", "FLUSH", "INSTALL", "UNINSTALL"), _SERVER),
}
