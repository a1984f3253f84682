"""Dumps of schemas by mariadb-dump: making one, reading its statements, and what two of the same data have in common.

Their text is ours to read because the schema has no triggers or routines: every statement ends with `;` at the end of a
line, and a line break in a value is written as an escape.
"""

import hashlib
import re
import subprocess
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

from vivero_operator.operations.errors import RefusedError, StepFailedError
from vivero_operator.operations.streams import Measured, pieces_of

TRAILER: Final = b"-- Dump completed"
_COMPLAINT_BYTES: Final = 1024
_ENDING_SECONDS: Final = 60.0
"""For mariadb-dump to end after its last byte."""
_LINE_BYTES: Final = 64 * 1024 * 1024
"""Of the longest line that is read: four times what a server takes in one statement."""
_INSERT: Final = b"INSERT INTO `"
_GTID: Final = re.compile(rb"^-- SET GLOBAL gtid_slave_pos='(\d+-\d+-\d+)';$", re.MULTILINE)
_COUNTER: Final = re.compile(rb" AUTO_INCREMENT=\d+")
_TABLE: Final = re.compile(rb"-- Table structure for table `(.*)`\n")
_USE: Final = re.compile(rb"USE `([^`]*)`;\n")
_OF_SESSION: Final = re.compile(rb"USE `|SET @|/\*M?!\d{5,6} SET ")
"""What is no part of a schema: several schemas have it once."""
_ALLOWED: Final = re.compile(
    rb"(DROP TABLE IF EXISTS `|CREATE TABLE `|LOCK TABLES `|UNLOCK TABLES;|INSERT INTO `|SET @|/\*M?!\d{5,6} (SET|ALTER TABLE) )"
)
"""What mariadb-dump writes of tables."""
_OF_SERVER: Final = re.compile(
    rb"(/\*M?!\d+ )?SET [^'\"]*\bGLOBAL\b|/\*M?!\d+ ALTER TABLE [^'\"]*\bRENAME\b", re.IGNORECASE
)
"""What it never writes, though it begins so: a setting of the server, a table that moves away."""


def dumped(option_file: Path, *schemas: str, position: bool = False) -> Iterator[bytes]:
    """A dump of one moment, as it comes; of several schemas (`of_schema`) if there are more than one.

    With `position` it ends with the last transaction that it holds (`gtid_of`).

    Raises:
        StepFailedError: mariadb-dump failed; at the end of the stream.
    """
    command = [
        "mariadb-dump",
        f"--defaults-file={option_file}",
        "--single-transaction",  # one moment of the schema, and nobody waits
        "--skip-lock-tables",
        "--quick",
        "--skip-no-autocommit",  # a statement, a transaction: one of a whole table is too large to replicate
        "--hex-blob",
        "--skip-triggers",  # the schema has none, and reading them takes a right to make them
        "--skip-dump-date",
        "--default-character-set=utf8mb4",
        *(["--master-data=2", "--gtid"] if position else []),  # as remarks
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
    """The lines of a dump of these schemas, and whose each is; nobody's before the first schema.

    Raises:
        RefusedError: it goes to another schema.
    """
    schema = "" if len(schemas) > 1 else next(iter(schemas))
    for line in lines(pieces):
        if begins := _USE.fullmatch(line):
            schema = begins[1].decode(errors="replace")
            if schema not in schemas:
                raise RefusedError(f"the dump holds a schema {schema} that is not the tenant's")
        yield schema, line


def of_schema(pieces: Iterable[bytes], schemas: Collection[str], schema: str) -> Iterator[bytes]:
    """What of a dump of these schemas concerns one of them: as if it had been dumped alone."""
    found = by_schema(pieces, schemas)
    return (line for whose, line in found if whose in {"", schema} and _USE.fullmatch(line) is None)


def is_remark(line: bytes) -> bool:
    """Whether the line is no part of a statement: a comment, an empty one, the client's own first line."""
    return line.startswith((b"--", b"/*M!999999")) or not line.strip()


def statements(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The statements of a dump, in their order.

    Raises:
        RefusedError: one that mariadb-dump does not write of tables, or one without an end.
    """
    begun = bytearray()
    for line in lines(pieces):
        if not begun and is_remark(line):
            continue
        begun += line
        if line.endswith(b";\n"):
            if _ALLOWED.match(begun) is None or _OF_SERVER.match(begun) is not None:
                raise RefusedError(f"the dump holds a statement that is none of tables: {bytes(begun[:24])!r}")
            yield bytes(begun)
            begun.clear()
    if begun:
        raise RefusedError("the dump ends in the middle of a statement")


def is_insert(statement: bytes) -> bool:
    return statement.startswith(_INSERT)


def ignoring_duplicates(statement: bytes) -> bytes:
    """The INSERT; rows that are there already, from an attempt before, stay."""
    return b"INSERT IGNORE INTO `" + statement.removeprefix(_INSERT)


@dataclass
class Fingerprint:
    """SHA-256 of a dump's rows, and of its tables without the counters that a load may leave different."""

    _rows: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    _tables: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    @property
    def rows(self) -> str:
        return self._rows.hexdigest()

    @property
    def tables(self) -> str:
        return self._tables.hexdigest()

    _of_rows: bool = False  # a statement of rows has a line for each of them

    def through(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The same bytes, line by line."""
        for line in lines(pieces):
            self.add(line)
            yield line

    def add(self, line: bytes) -> None:
        """Count a line of the dump."""
        self._of_rows = self._of_rows or line.startswith(_INSERT)
        if self._of_rows:
            self._rows.update(line)
            self._of_rows = not line.endswith(b";\n")
        elif not is_remark(line) and _OF_SESSION.match(line) is None:
            self._tables.update(_COUNTER.sub(b"", line))


@dataclass(frozen=True)
class Contents:
    """What a dump holds, so that two of the same data can be compared."""

    tables: dict[str, dict[str, str]]
    """By `<schema>.<table>`: SHA-256 of its rows and of its definition."""
    gtid: str | None
    """The last transaction in it, if it was dumped with its position."""


def contents(pieces: Iterable[bytes], schemas: Collection[str]) -> Contents:
    """Of a dump of these schemas, several.

    Raises:
        StepFailedError: it has no end.
    """
    measured, name = Measured(), ""
    found: dict[str, Fingerprint] = {}
    for schema, line in by_schema(measured.through(pieces), schemas):
        if begins := _TABLE.fullmatch(line):
            name = f"{schema}.{begins[1].decode(errors='replace')}"
        elif not name.startswith(f"{schema}."):
            name = f"{schema}."  # what comes before its first table
        found.setdefault(name, Fingerprint()).add(line)
    if TRAILER not in measured.tail:
        raise StepFailedError("the dump ends without its trailer")
    tables = {name: {"rows": one.rows, "definition": one.tables} for name, one in found.items() if name[-1] != "."}
    return Contents(tables, gtid_of(measured.tail))


def differences(live: Contents, archived: Contents) -> list[str]:
    """Which tables are not the same in both, and in what."""
    found = [f"{name} (not archived)" for name in live.tables.keys() - archived.tables.keys()]
    found += [f"{name} (only archived)" for name in archived.tables.keys() - live.tables.keys()]
    for name in live.tables.keys() & archived.tables.keys():
        here, there = live.tables[name], archived.tables[name]
        if unlike := [what for what in here if here[what] != there[what]]:
            found.append(f"{name} ({', '.join(unlike)})")
    return sorted(found)
