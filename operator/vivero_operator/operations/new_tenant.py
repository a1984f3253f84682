"""What a restore fills: schemas and a bucket, and what they have to hold in the end.

They are a new tenant's, or a schema beside the live one of the same tenant with the bucket that it has. It is filled by a
login that may write that schema, add to a new tenant's audit log, and nothing else: whatever a dump holds, no other data is
in reach. Nothing serves what was filled before all steps are done.
"""

import logging
from collections.abc import Iterable, Iterator
from typing import Any, Final

import pymysql
from pymysql.connections import Connection
from pymysql.constants import ER
from vivero_core.backends.mariadb.program import Program, ProgramError
from vivero_core.backends.mariadb.programs import make
from vivero_core.backends.tls import client_context
from vivero_core.model import naming
from vivero_core.sealing import SealBrokenError, seal, unseal

from vivero_operator.operations.archive import bucket_of
from vivero_operator.operations.dumps import (
    Fingerprint,
    dumped,
    ignoring_duplicates,
    is_insert,
    statements,
    with_sequences_of,
)
from vivero_operator.operations.errors import DamagedError, RefusedError, StepFailedError
from vivero_operator.operations.object_store import StoredObject, end_uploads, holds
from vivero_operator.operations.orders import CLIENT_FILE, Target
from vivero_operator.operations.program import Files
from vivero_operator.operations.streams import Read, Reader

STORED_FILES: Final = "SELECT id FROM files WHERE state = 'stored' ORDER BY id"
"""Of the schema with a tenant's data: the keys of its files in its bucket."""

logger = logging.getLogger(__name__)

_CONNECT_SECONDS = 10
_STATEMENT_SECONDS = 600


class NewTenant:
    """Filled step by step; a step that is repeated ends the same."""

    def __init__(self, files: Files, target: Target, file_key: str) -> None:
        """`file_key`: with which the files are sealed that it is filled with."""
        self.schemas = target.schemas
        self.left_out = target.left_out
        self._target = target
        self._client_file = files.path(CLIENT_FILE)
        self._authority = files.text("ca.crt")
        self._file_keys = bytes.fromhex(file_key), bytes.fromhex(target.file_key)
        self._bucket = bucket_of(files, target.storage)

    @property
    def sources(self) -> tuple[str, ...]:
        """The schemas that a backup of the tenant holds."""
        return (*self.schemas, *self.left_out)

    @property
    def data(self) -> tuple[str, str]:
        """The schema with the data of the tenant that is brought back, and the one that it is loaded into."""
        return next((name, into) for name, into in self.schemas.items() if into != self._target.audit)

    def load(self, dump: Iterable[bytes], source: str) -> list[Program]:
        """Fill the schema that stands for this one by the statements of its dump; programs that nobody can make.

        Of the audit log only rows are added: the tenant may do no more with it.
        """
        schema, programs = self.schemas[source], []
        rows_only = schema == self._target.audit
        with self._connected(schema) as connection:
            version = connection.get_server_info()  # type: ignore[no-untyped-call]  # it has no hints
            for statement in statements(dump, version):
                if isinstance(statement, Program):
                    programs.append(statement)
                    continue
                try:
                    if not rows_only:
                        connection.query(self._for_target(statement, source))
                    elif is_insert(statement):
                        connection.query(ignoring_duplicates(statement))
                except pymysql.MySQLError as error:
                    raise StepFailedError(f"loading {schema} failed: error {error.args[0]}") from error
        if not rows_only:
            self._make(programs, source)
        return [one for one in programs if one.invalid]

    def _for_target(self, statement: bytes, source: str) -> bytes:
        changed = with_sequences_of(statement, source, self.schemas[source])
        if changed != statement and self._is_switched(source):
            raise RefusedError(
                f"a table of {source} has a default that takes numbers of a sequence, which cannot be switched in place: "
                "restore to a new tenant"
            )
        return changed

    def _make(self, programs: list[Program], source: str) -> None:
        """Behind all rows, which no trigger is to see; as the login that fills, whose they are from then on."""
        ident, schema = naming.tenant_of_database(source), self.schemas[source]
        try:
            for one in programs:
                if ident is not None and ident != naming.tenant_of_database(schema) and one.names(ident):
                    raise RefusedError(
                        f"{one} names the schema {source} in a text or an alias, which would be the old tenant's data: "
                        "restore in place, or change it"
                    )
            with self._connected(schema) as connection, connection.cursor() as cursor:
                make(cursor, programs, schema)
        except ProgramError as error:
            raise StepFailedError(f"loading {schema} failed: {error.sentence}") from error
        except pymysql.MySQLError as error:
            raise StepFailedError(f"loading {schema} failed: error {error.args[0]}") from error

    def _is_switched(self, source: str) -> bool:
        """Whether what is filled takes the place of its source, whose name it then has."""
        ident = naming.tenant_of_database(source)
        return ident is not None and self.schemas[source] == naming.next_database_name(ident)

    def compare(self, schema: str, rows: str, tables: str) -> None:
        """Dump a schema, and compare it with the fingerprint of what it was loaded from."""
        data = Fingerprint()
        for _ in data.through(dumped(self._client_file, schema)):
            pass
        if data.rows != rows:
            raise StepFailedError(f"the rows of {schema} are not those that were loaded")
        if schema != self._target.audit and data.tables != tables:
            raise StepFailedError(f"the tables of {schema} are not those that were loaded")

    def end_uploads(self) -> None:
        """Of an attempt before: a workspace stores each file at once, so that no unfinished one is its own."""
        try:
            end_uploads(self._bucket, "")
        except StepFailedError as error:  # AWS' accounts of tenants have no right to look for them
            logger.warning("unfinished uploads stay: %s", error)

    def files(self) -> dict[str, StoredObject]:
        """What its bucket holds."""
        return self._bucket.list()

    def named_files(self) -> list[str]:
        """Keys of the files that the loaded data names; a workspace that never ran has no table of them."""
        with self._connected(self.data[1]) as connection, connection.cursor() as cursor:
            try:
                cursor.execute(STORED_FILES)
            except pymysql.MySQLError as error:
                if error.args[0] == ER.NO_SUCH_TABLE:
                    return []
                raise StepFailedError(f"looking for files failed: error {error.args[0]}") from error
            return [str(row[0]) for row in cursor.fetchall()]

    def add_file(self, key: str, read: Read) -> None:
        """Store a file of the tenant that is brought back, sealed anew; its size stays as it is.

        Raises:
            DamagedError: it is not what its workspace wrote. Nothing is stored.
        """
        self._bucket.put(key, sealed_anew(read, self._file_keys, key))

    def require_file(self, there: dict[str, StoredObject], key: str, size: int) -> None:
        if not holds(there, key, size):
            raise StepFailedError(f"file {key} is not in the tenant's bucket")

    def _connected(self, schema: str) -> "Connection[Any]":
        at = self._target.database
        try:
            return pymysql.connect(
                host=at.host,
                port=at.port,
                user=at.user,
                password=at.password,
                database=schema,
                charset="utf8mb4",
                autocommit=True,
                ssl=client_context(self._authority),
                connect_timeout=_CONNECT_SECONDS,
                read_timeout=_STATEMENT_SECONDS,
                write_timeout=_STATEMENT_SECONDS,
            )
        except pymysql.MySQLError as error:
            raise StepFailedError(f"logging in to {schema} failed: error {error.args[0]}") from error


def sealed_anew(read: Read, keys: tuple[bytes, bytes], key: str) -> Iterator[bytes]:
    """A stored file as whoever has the second of these keys stores it; `key` is its own in the bucket.

    Raises:
        DamagedError: it is not what was sealed with the first.
    """
    old, new = keys
    try:
        yield from seal(Reader(unseal(read, old, key)).read, new, key)
    except SealBrokenError as error:
        raise DamagedError(f"file {key} is not what was written: {error}") from error
