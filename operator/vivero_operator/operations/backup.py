"""The program of a TenantBackup: copies the stored files, dumps the schemas, reads all of it back.

In the backup bucket, below the tenant's id:

    files/<key>/<etag>               a stored file as it is in the tenant's bucket, encrypted by its workspace
    backups/<uid>/<schema>.sql       a dump: gzip, then sealed (vivero_core.sealing) with the tenant's file key
    backups/<uid>/manifest.json      what belongs to the backup, sealed; it is written last

A file that an earlier backup has copied is not copied again. The list of files is read before and after the dump, so
that neither a file that comes meanwhile nor one that goes is missing.
"""

import json
import subprocess
import zlib
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile, gettempdir
from typing import Any, Final

from vivero_core.sealing import SealBrokenError, seal, unseal

from vivero_operator.operations.backup_order import CLIENT_FILE, ORDER_FILE, Account, Order
from vivero_operator.operations.object_store import ObjectStore, StoredObject
from vivero_operator.operations.program import Files, RefusedError, StepFailedError, main
from vivero_operator.operations.runner import Said
from vivero_operator.operations.streams import Measured, Reader, packed, pieces_of, unpacked

_TRAILER: Final = b"-- Dump completed"
_MANIFEST: Final = "manifest.json"
_COMPLAINT_BYTES: Final = 1024
_ENDING_SECONDS: Final = 60.0
"""For mariadb-dump to end after its last byte."""


class Backup:
    """One backup, and where it comes from and goes to."""

    def __init__(self, files: Files) -> None:
        authority = str(files.path("ca.crt"))
        self.order = Order.load(files.text(ORDER_FILE))
        self._client_file = files.path(CLIENT_FILE)
        self._key = bytes.fromhex(self.order.file_key)
        names = ("endpoint", "region", "bucket", "access_key", "secret_key")
        self._source = ObjectStore(self.order.storage, authority)
        self._target = ObjectStore(Account(**{name: files.text(f"backup/{name}").strip() for name in names}), authority)

    def copy_files(self) -> dict[str, StoredObject]:
        """Copy what the backup bucket lacks; what the tenant's bucket holds now, by key."""
        held = self._source.list()
        there = self._target.list(f"{self.order.tenant}/files/")
        for one in held.values():
            copy = self._copy_of(one)
            if copy not in there or there[copy].size != one.size:
                with self._source.open(one.key) as read:
                    self._target.put(copy, pieces_of(read))
        return held

    def dump(self, schema: str) -> dict[str, Any]:
        """Dump a schema into the backup bucket; what the manifest says of it."""
        content = Measured()
        with (
            TemporaryFile() as complaints,
            subprocess.Popen(  # noqa: S603  words of this program, and the operator's name of a schema
                self._dump_command(schema), stdout=subprocess.PIPE, stderr=complaints
            ) as running,
        ):
            assert running.stdout is not None  # noqa: S101  it was asked for
            plain = content.through(pieces_of(running.stdout.read))
            sealed = seal(Reader(packed(plain)).read, self._key, self._name(schema))
            size = self._target.put(f"{self.order.prefix}/{schema}.sql", sealed)
            code = running.wait(_ENDING_SECONDS)
            complaints.seek(0)
            complaint = complaints.read(_COMPLAINT_BYTES).decode(errors="replace").strip()
        if code != 0:
            raise StepFailedError(f"mariadb-dump of {schema} exited with {code}: {complaint}")
        if _TRAILER not in content.tail:
            raise StepFailedError(f"the dump of {schema} ends without its trailer")
        return {"schema": schema, "bytes": content.size, "sha256": content.sha256, "stored": size}

    def write_manifest(self, manifest: dict[str, Any]) -> None:
        text = json.dumps(manifest).encode()
        sealed = seal(Reader(iter([text])).read, self._key, self._name(_MANIFEST))
        self._target.put(f"{self.order.prefix}/{_MANIFEST}", sealed)

    def read_manifest(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(b"".join(self._unsealed(_MANIFEST, _MANIFEST)))
        return found

    def verify(self, schema: dict[str, Any]) -> None:
        """Read a dump back, and compare it with what was dumped."""
        content = Measured()
        try:
            for _ in content.through(unpacked(self._unsealed(f"{schema['schema']}.sql", schema["schema"]))):
                pass
        except zlib.error as error:
            raise StepFailedError(f"the dump of {schema['schema']} cannot be unpacked: {error}") from error
        if (content.size, content.sha256) != (schema["bytes"], schema["sha256"]) or _TRAILER not in content.tail:
            raise StepFailedError(f"the dump of {schema['schema']} is not what was written")

    def verify_files(self, held: list[dict[str, Any]]) -> None:
        there = self._target.list(f"{self.order.tenant}/files/")
        for one in (StoredObject(**each) for each in held):
            copy = there.get(self._copy_of(one))
            if copy is None or copy.size != one.size:
                raise StepFailedError(f"file {one.key} is not in the backup bucket")

    def _unsealed(self, name: str, sealed_as: str) -> Iterator[bytes]:
        try:
            with self._target.open(f"{self.order.prefix}/{name}") as read:
                yield from unseal(read, self._key, self._name(sealed_as))
        except SealBrokenError as error:
            raise StepFailedError(f"{name} is not what was written: {error}") from error

    def _name(self, what: str) -> str:
        """Binds what is sealed to its place: nothing of another backup or tenant passes for it."""
        return f"backup {self.order.tenant} {self.order.uid} {what}"

    def _copy_of(self, file: StoredObject) -> str:
        return f"{self.order.tenant}/files/{file.key}/{file.etag}"

    def _dump_command(self, schema: str) -> list[str]:
        return [
            "mariadb-dump",
            f"--defaults-file={self._client_file}",
            "--single-transaction",  # one moment of the schema, and nobody waits
            "--skip-lock-tables",
            "--quick",
            "--hex-blob",
            "--skip-triggers",  # the schema has none, and reading them takes a right to make them
            "--skip-dump-date",
            "--default-character-set=utf8mb4",
            schema,
        ]


def copy_files(files: Files) -> Said:
    """Step `files`: most of the bytes, before the moment of the backup."""
    held = Backup(files).copy_files()
    _scratch().write_text(json.dumps([asdict(one) for one in held.values()]))
    return Said(message=f"Files in the backup bucket: {len(held)}")


def dump(files: Files) -> Said:
    """Step `dump`: the schemas, and the files that came meanwhile."""
    backup = Backup(files)
    before = {one["key"]: StoredObject(**one) for one in json.loads(_scratch().read_text())}
    taken_at = datetime.now(UTC)
    schemas = [backup.dump(schema) for schema in backup.order.schemas]
    held = before | backup.copy_files()
    manifest = {
        "tenant": backup.order.tenant,
        "takenAt": taken_at.isoformat(timespec="seconds"),
        "schemas": schemas,
        "files": [asdict(one) for one in held.values()],
    }
    backup.write_manifest(manifest)
    stored = sum(one["stored"] for one in schemas)
    return Said(message=f"Schemas dumped: {len(schemas)}, bytes in the bucket: {stored}")


def verify(files: Files) -> Said:
    """Step `verify`: all of it read back."""
    backup = Backup(files)
    manifest = backup.read_manifest()
    if not manifest["schemas"]:
        raise RefusedError("the manifest names no schema")
    for schema in manifest["schemas"]:
        backup.verify(schema)
    backup.verify_files(manifest["files"])
    result = {
        "prefix": backup.order.prefix,
        "bytes": sum(one["stored"] for one in manifest["schemas"]),
        "files": len(manifest["files"]),
        "takenAt": manifest["takenAt"],
    }
    return Said(message="Read back, the same as written", result=result)


def _scratch() -> Path:
    """What one step leaves to the next."""
    return Path(gettempdir()) / "files.json"


if __name__ == "__main__":
    main({"files": copy_files, "dump": dump, "verify": verify})
