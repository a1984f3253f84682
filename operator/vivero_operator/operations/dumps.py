"""Dumps of schemas: making one, reading its statements, and what two of the same data have in common.

Tables and sequences are mariadb-dump's, as it writes them. Their text is ours to read: every statement ends with `;` at the
end of a line, and a line break in a value is written as an escape. Of views, triggers and routines that does not hold, and
mariadb-dump names their definers: they are ours (programs.py), each a remark of one line before all else.
"""

import hashlib
import re
import subprocess
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

import pymysql
from pymysql.cursors import Cursor
from vivero_core.backends.mariadb import programs
from vivero_core.backends.mariadb.program import VIEW, Foreign, Program, ProgramError, renamed

from vivero_operator.operations.errors import RefusedError, StepFailedError
from vivero_operator.operations.streams import Measured, pieces_of

TRAILER: Final = b"-- Dump completed"
_COMPLAINT_BYTES: Final = 1024
_ENDING_SECONDS: Final = 60.0
"""For mariadb-dump to end after its last byte."""
_LINE_BYTES: Final = 64 * 1024 * 1024
"""Of the longest line that is read: four times what a server takes in one statement."""
_INSERT: Final = b"INSERT INTO `"
_LOCKS: Final = (b"LOCK TABLES `", b"UNLOCK TABLES;")
"""Nobody else is where a dump is loaded, and a lock hides the sequence that a table's default names."""
_GTID: Final = re.compile(rb"^-- SET GLOBAL gtid_slave_pos='(\d+-\d+-\d+)';$", re.MULTILINE)
_COUNTER: Final = re.compile(rb" AUTO_INCREMENT=\d+")
_PROGRAM: Final = re.compile(rb"-- Program of `([^`]*)`: (.*)\n")
_OF_SEQUENCE: Final = re.compile(rb"((?:next|last)val\()`[^`]*`\.")
"""In a column's default, where the server names the schema whatever schema the session is in."""
_OLD_END, _NEW_END = b"'2038-01-19 03:14:07.999999'", b"'2106-02-07 06:28:15.999999'"
_ENDS: Final = re.compile(b"|".join(re.escape(end) for end in (_OLD_END, _NEW_END)))
_LATER_END: Final = (11, 5)
_HISTORY_BEGINS: Final = b"/*M!101100 SET @old_system_versioning_insert_history"
_HISTORY: Final = (_HISTORY_BEGINS, b"/*M!101100 SET system_versioning_insert_history")
"""Around the rows of a table with versions."""
_LEFT_OUT: Final = {"event": "a tenant has none", "view": "what it shows is not there"}
_TABLE: Final = re.compile(rb"-- (?:Table structure for table|Sequence structure for) `(.*)`\n")
_USE: Final = re.compile(rb"USE `([^`]*)`;\n")
_OF_SESSION: Final = re.compile(rb"USE `|SET @|/\*M?!\d{5,6} SET ")
"""What is no part of a schema: several schemas have it once."""
_ALLOWED: Final = re.compile(
    rb"(DROP TABLE IF EXISTS `|CREATE TABLE `|LOCK TABLES `|UNLOCK TABLES;|INSERT INTO `|SET @|/\*M?!\d{5,6} (SET|ALTER TABLE) "
    rb"|DROP SEQUENCE IF EXISTS `|CREATE SEQUENCE `|DO SETVAL\(`)"
)
"""What mariadb-dump writes of tables and sequences."""
_OF_SERVER: Final = re.compile(
    rb"(/\*M?!\d+ )?SET [^'\"]*\bGLOBAL\b|/\*M?!\d+ ALTER TABLE [^'\"]*\bRENAME\b", re.IGNORECASE
)
"""What it never writes, though it begins so: a setting of the server, a table that moves away."""


def dumped(
    option_file: Path, *schemas: str, position: bool = False, foreign: Sequence[Foreign] = ()
) -> Iterator[bytes]:
    """A dump of one moment, as it comes; of several schemas (`of_schema`) if there are more than one.

    With `position` it ends with the last transaction that it holds (`gtid_of`). `foreign`: routines of the schemas that
    this login cannot read.

    Raises:
        StepFailedError: mariadb-dump failed, or programs were changed meanwhile; at the end of the stream.
        RefusedError: there is a program that this login cannot read.
    """
    found = programs_of(option_file, schemas, foreign)
    yield from (_line(schema, one) for schema, each in found.items() for one in each)
    options = [
        f"--ignore-table={schema}.{one.name}" for schema, each in found.items() for one in each if one.kind == VIEW
    ]
    options += ["--master-data=2", "--gtid"] if position else []  # as remarks
    if _have_versions(option_file, schemas):
        yield from _with_end(lines(_tables(option_file, schemas, [*options, "--dump-history"])), _OLD_END)
    else:
        yield from _tables(option_file, schemas, options)
    if programs_of(option_file, schemas, foreign) != found:
        raise StepFailedError(f"views, triggers or routines of {', '.join(schemas)} were changed while it was dumped")


def _tables(option_file: Path, schemas: Sequence[str], options: Iterable[str]) -> Iterator[bytes]:
    command = [
        "mariadb-dump",
        f"--defaults-file={option_file}",
        "--single-transaction",  # one moment of the schema, and nobody waits
        "--skip-lock-tables",
        "--quick",
        "--skip-no-autocommit",  # a statement, a transaction: one of a whole table is too large to replicate
        "--hex-blob",
        "--skip-triggers",  # programs are read apart
        "--skip-dump-date",
        "--default-character-set=utf8mb4",
        *options,
        *(["--databases", "--no-create-db"] if len(schemas) > 1 else []),
        *schemas,
    ]
    with (
        TemporaryFile() as complaints,
        subprocess.Popen(  # noqa: S603  words of this program, and the operator's name of a schema
            command, stdout=subprocess.PIPE, stderr=complaints
        ) as running,
    ):
        assert running.stdout is not None  # noqa: S101  it was asked for
        yield from pieces_of(running.stdout.read)
        code = running.wait(_ENDING_SECONDS)
        complaints.seek(0)
        complaint = complaints.read(_COMPLAINT_BYTES).decode(errors="replace").strip()
    if code != 0:
        raise StepFailedError(f"mariadb-dump of {', '.join(schemas)} exited with {code}: {complaint}")


def programs_of(option_file: Path, schemas: Iterable[str], foreign: Sequence[Foreign]) -> dict[str, list[Program]]:
    """Of each schema."""
    try:
        with _cursor(option_file) as cursor:
            return {schema: programs.read(cursor, schema, foreign) for schema in schemas}
    except ProgramError as error:
        raise RefusedError(error.sentence) from error


def _have_versions(option_file: Path, schemas: Iterable[str]) -> bool:
    """Whether one of them has a table with system versioning."""
    query = "SELECT 1 FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_TYPE = 'SYSTEM VERSIONED'"
    with _cursor(option_file) as cursor:
        return any(cursor.execute(query, (schema,)) for schema in schemas)


@contextmanager
def _cursor(option_file: Path) -> Iterator[Cursor]:
    """In no schema."""
    try:
        with (
            closing(pymysql.connect(read_default_file=str(option_file), charset="utf8mb4")) as connection,
            connection.cursor() as cursor,
        ):
            yield cursor
    except pymysql.MySQLError as error:
        raise StepFailedError(f"reading views, triggers and routines failed: error {error.args[0]}") from error


def _with_end(dump: Iterable[bytes], end: bytes) -> Iterator[bytes]:
    """The lines of a dump in which this is when a version ends that has not ended: MariaDB 11.5 has given TIMESTAMP a later last moment."""
    within = False
    for line in dump:
        if line.startswith(_HISTORY):
            within = line.startswith(_HISTORY_BEGINS)
        yield _ENDS.sub(end, line) if within else line


def _end_of_versions(server: str) -> bytes:
    """What a server of this version takes for it."""
    found = re.match(r"(\d+)\.(\d+)", server)
    return _NEW_END if found and (int(found[1]), int(found[2])) >= _LATER_END else _OLD_END


def with_left_out(message: str, names: Iterable[str]) -> str:
    """What a step says, and which objects of a schema nobody can bring back: each with its kind before it."""
    left = [f"{name} ({_LEFT_OUT[name.partition(' ')[0]]})" for name in sorted(set(names))]
    return f"{message}; left out: {', '.join(left)}" if left else message


def _line(schema: str, program: Program) -> bytes:
    return f"-- Program of `{schema}`: {program.dump()}\n".encode()


def gtid_of(tail: bytes) -> str | None:
    """The last transaction that a dump holds, by the remarks at its end."""
    found = _GTID.search(tail)
    return found[1].decode() if found else None


def lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a stream, each with its end."""
    left = bytearray()
    for piece in pieces:
        left += piece
        *whole, rest = left.split(b"\n")
        yield from (bytes(line) + b"\n" for line in whole)
        left = bytearray(rest)
        if len(left) > _LINE_BYTES:
            raise RefusedError(f"the dump has a line of more than {_LINE_BYTES} bytes")
    if left:
        yield bytes(left)


def by_schema(pieces: Iterable[bytes], schemas: Collection[str]) -> Iterator[tuple[str, bytes]]:
    """The lines of a dump of these schemas, and whose each is; nobody's between the programs and the first schema.

    Raises:
        RefusedError: it goes to another schema.
    """
    schema, before = "" if len(schemas) > 1 else next(iter(schemas)), True
    for line in lines(pieces):
        found = _PROGRAM.fullmatch(line) if before else None
        before = found is not None
        named = found or _USE.fullmatch(line)
        whose = named[1].decode(errors="replace") if named else schema
        if named and whose not in schemas:
            raise RefusedError(f"the dump holds a schema {whose} that is not the tenant's")
        if not before:
            schema = whose
        yield whose, line


def of_schema(pieces: Iterable[bytes], schemas: Collection[str], schema: str) -> Iterator[bytes]:
    """What of a dump of these schemas concerns one of them: as if it had been dumped alone."""
    found = by_schema(pieces, schemas)
    return (line for whose, line in found if whose in {"", schema} and _USE.fullmatch(line) is None)


def is_remark(line: bytes) -> bool:
    """Whether the line is no part of a statement: a comment, an empty one, the client's own first line."""
    return line.startswith((b"--", b"/*M!999999")) or not line.strip()


def statements(pieces: Iterable[bytes], server: str = "") -> Iterator[bytes | Program]:
    """The programs of a dump and behind them its statements, in their order, for a server of this version.

    Raises:
        RefusedError: one that mariadb-dump does not write of tables, or one without an end.
    """
    begun, before = bytearray(), True
    for line in _with_end(lines(pieces), _end_of_versions(server)):
        found = _PROGRAM.fullmatch(line) if before else None
        before = found is not None
        if found:
            yield _program(found[2])
            continue
        if not begun and is_remark(line):
            continue
        begun += line
        if line.endswith(b";\n"):
            if _ALLOWED.match(begun) is None or _OF_SERVER.match(begun) is not None:
                raise RefusedError(f"the dump holds a statement that is none of tables: {bytes(begun[:24])!r}")
            if not begun.startswith(_LOCKS):
                yield bytes(begun)
            begun.clear()
    if begun:
        raise RefusedError("the dump ends in the middle of a statement")


def _program(text: bytes) -> Program:
    try:
        return Program.load(text.decode())
    except (ProgramError, UnicodeDecodeError) as error:
        raise RefusedError(f"the dump holds a program that cannot be read: {error}") from error


def with_sequences_of(statement: bytes, source: str, target: str) -> bytes:
    """The statement that makes a table, for another schema: a default that takes a number of a sequence names its schema."""
    if _OF_SEQUENCE.search(statement) is None or not statement.startswith(b"CREATE TABLE `"):
        return statement
    try:
        return renamed(statement.decode(), source, target).encode()
    except (ProgramError, UnicodeDecodeError) as error:
        raise RefusedError(f"the dump holds a table that cannot be read: {error}") from error


def is_insert(statement: bytes) -> bool:
    return statement.startswith(_INSERT)


def ignoring_duplicates(statement: bytes) -> bytes:
    """The INSERT; rows that are there already, from an attempt before, stay."""
    return b"INSERT IGNORE INTO `" + statement.removeprefix(_INSERT)


@dataclass
class Fingerprint:
    """SHA-256 of a dump's rows, and of its tables and programs without what another schema or a load makes different."""

    _rows: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    _tables: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    @property
    def rows(self) -> str:
        return self._rows.hexdigest()

    @property
    def tables(self) -> str:
        return self._tables.hexdigest()

    _of_rows: bool = False  # a statement of rows has a line for each of them
    _before: bool = True

    def through(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The same bytes, line by line."""
        for line in lines(pieces):
            self.add(line)
            yield line

    def add(self, line: bytes) -> None:
        """Count a line of the dump."""
        found = _PROGRAM.fullmatch(line) if self._before else None
        self._before = found is not None
        if found:
            if not _program(found[2]).invalid:  # nobody can bring it back
                self._tables.update(found[2])
            return
        self._of_rows = self._of_rows or line.startswith(_INSERT)
        if self._of_rows:
            self._rows.update(line)
            self._of_rows = not line.endswith(b";\n")
        elif not is_remark(line) and _OF_SESSION.match(line) is None:
            self._tables.update(_OF_SEQUENCE.sub(rb"\1", _COUNTER.sub(b"", line)))


@dataclass(frozen=True)
class Contents:
    """What a dump holds, so that two of the same data can be compared."""

    tables: dict[str, dict[str, str]]
    """By `<schema>.<table>`: SHA-256 of its rows and of its definition."""
    gtid: str | None
    """The last transaction in it, if it was dumped with its position."""
    programs: dict[str, str] = field(default_factory=dict)
    """By schema, kind and name: SHA-256 of its definition."""


def contents(pieces: Iterable[bytes], schemas: Collection[str]) -> Contents:
    """Of a dump of these schemas, several.

    Raises:
        StepFailedError: it has no end.
    """
    measured, name = Measured(), ""
    found: dict[str, Fingerprint] = {}
    made: dict[str, str] = {}
    for schema, line in by_schema(measured.through(pieces), schemas):
        if not found and (program := _PROGRAM.fullmatch(line)):
            made[f"{_program(program[2])} of {schema}"] = hashlib.sha256(program[2]).hexdigest()
            continue
        if begins := _TABLE.fullmatch(line):
            name = f"{schema}.{begins[1].decode(errors='replace')}"
        elif not name.startswith(f"{schema}."):
            name = f"{schema}."  # what comes before its first table
        found.setdefault(name, Fingerprint()).add(line)
    if TRAILER not in measured.tail:
        raise StepFailedError("the dump ends without its trailer")
    tables = {name: {"rows": one.rows, "definition": one.tables} for name, one in found.items() if name[-1] != "."}
    return Contents(tables, gtid_of(measured.tail), made)


def differences(live: Contents, archived: Contents) -> list[str]:
    """Which tables and programs are not the same in both, and in what."""
    here, there = live.tables | live.programs, archived.tables | archived.programs
    found = [f"{name} (not archived)" for name in here.keys() - there.keys()]
    found += [f"{name} (only archived)" for name in there.keys() - here.keys()]
    programs_of_both = live.programs.keys() & archived.programs.keys()
    found += [f"{name} (definition)" for name in programs_of_both if live.programs[name] != archived.programs[name]]
    for name in live.tables.keys() & archived.tables.keys():
        mine, other = live.tables[name], archived.tables[name]
        if unlike := [what for what in mine if mine[what] != other[what]]:
            found.append(f"{name} ({', '.join(unlike)})")
    return sorted(found)
