"""The program of a TenantRestore: loads the dumps of a backup into the schemas of a new tenant, copies its files, compares.

It logs in as the new tenant, which may write its own schema and add to its audit log, and nothing else: whatever a dump
holds, nobody else's data is in reach. Nothing serves the new tenant before all steps are done.
"""

from collections.abc import Iterator
from typing import Any

import pymysql
from pymysql.connections import Connection
from vivero_core.backends.tls import client_context

from vivero_operator.operations.archive import Archive, backup_store
from vivero_operator.operations.backup_order import CLIENT_FILE, ORDER_FILE, RestoreOrder
from vivero_operator.operations.dumps import Fingerprint, dumped, ignoring_duplicates, is_insert, statements
from vivero_operator.operations.object_store import ObjectStore, StoredObject, holds
from vivero_operator.operations.program import Files, RefusedError, StepFailedError, main
from vivero_operator.operations.runner import Said
from vivero_operator.operations.streams import pieces_of

_CONNECT_SECONDS = 10
_STATEMENT_SECONDS = 600


class Restore:
    """One restore, and where it comes from and goes to."""

    def __init__(self, files: Files) -> None:
        self.order = RestoreOrder.load(files.text(ORDER_FILE))
        self.archive = Archive(backup_store(files), self.order.tenant, self.order.uid, self.order.file_key)
        self.manifest = self.archive.read_manifest()
        self._client_file = files.path(CLIENT_FILE)
        self._authority = files.text("ca.crt")
        self._bucket = ObjectStore(self.order.storage, str(files.path("ca.crt")))

    def pairs(self) -> Iterator[tuple[dict[str, Any], str]]:
        """What the manifest says of a schema, and the schema that it is loaded into."""
        for schema in self.manifest["schemas"]:
            if schema["schema"] not in self.order.schemas:
                raise RefusedError(f"the backup holds a schema {schema['schema']} that is not the tenant's")
            yield schema, self.order.schemas[schema["schema"]]

    def load(self, source: str, target: str) -> None:
        """Run the statements of a dump. Of the audit log only rows are added: the tenant may do no more with it."""
        rows_only = target == self.order.audit
        with self._connected(target) as connection:
            for statement in statements(self.archive.read_dump(source)):
                try:
                    if not rows_only:
                        connection.query(statement)
                    elif is_insert(statement):
                        connection.query(ignoring_duplicates(statement))
                except pymysql.MySQLError as error:
                    raise StepFailedError(f"loading {target} failed: error {error.args[0]}") from error

    def compare(self, schema: dict[str, Any], target: str) -> None:
        data = Fingerprint()
        for _ in data.through(dumped(self._client_file, target)):
            pass
        if data.rows != schema["rows"]:
            raise StepFailedError(f"the rows of {target} are not those of the backup")
        if target != self.order.audit and data.tables != schema["tables"]:
            raise StepFailedError(f"the tables of {target} are not those of the backup")

    def copy_files(self) -> None:
        there = self._bucket.list()
        for one in self.files():
            if not holds(there, one.key, one.size):
                with self.archive.store.open(self.archive.copy_of(one)) as read:
                    self._bucket.put(one.key, pieces_of(read))

    def compare_files(self) -> None:
        there = self._bucket.list()
        for one in self.files():
            if not holds(there, one.key, one.size):
                raise StepFailedError(f"file {one.key} is not in the bucket of the new tenant")

    def files(self) -> Iterator[StoredObject]:
        return (StoredObject(**one) for one in self.manifest["files"])

    def _connected(self, schema: str) -> "Connection[Any]":
        at = self.order.database
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


def load(files: Files) -> Said:
    """Step `database`."""
    restore = Restore(files)
    for schema, target in restore.pairs():
        restore.load(schema["schema"], target)
    return Said(message=f"Schemas loaded: {len(restore.manifest['schemas'])}")


def copy_files(files: Files) -> Said:
    """Step `files`."""
    restore = Restore(files)
    restore.copy_files()
    return Said(message=f"Files in the new tenant's bucket: {len(restore.manifest['files'])}")


def verify(files: Files) -> Said:
    """Step `verify`: the new tenant's data is dumped as well, and compared with what the backup's manifest says."""
    restore = Restore(files)
    for schema, target in restore.pairs():
        restore.compare(schema, target)
    restore.compare_files()
    result = {"files": len(restore.manifest["files"]), "restoredTo": restore.manifest["takenAt"]}
    return Said(message="The same as in the backup", result=result)


if __name__ == "__main__":
    main({"database": load, "files": copy_files, "verify": verify})
