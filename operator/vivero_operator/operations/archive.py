"""One backup in the backup bucket: where its objects are, and how they are sealed.

Below the tenant's id:

    files/<key>/<etag>               a stored file as it is in the tenant's bucket, encrypted by its workspace
    backups/<uid>/dump.sql           a dump of its schemas: gzip, then sealed (vivero_core.sealing) with the tenant's file key
    backups/<uid>/manifest.json      what belongs to the backup, sealed; it is written last, and deleted first
    backups/<uid>/files.json         of a backup that has expired: copies of files that a second in reach of the log may need
"""

import json
import logging
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Final

from vivero_core.sealing import SealBrokenError, seal, unseal

from vivero_operator.archiver.configuration import STORAGE_KEYS
from vivero_operator.archiver.lock import Lock
from vivero_operator.operations.errors import DamagedError, RefusedError, StepFailedError
from vivero_operator.operations.object_store import ObjectStore, StoredObject
from vivero_operator.operations.orders import Account
from vivero_operator.operations.program import Files
from vivero_operator.operations.streams import Measured, Read, Reader, packed, unpacked

logger = logging.getLogger(__name__)

_FORMAT: Final = 3
"""1 had a dump of each schema, of different moments; 2 no views, triggers and routines."""
_READABLE: Final = (2, _FORMAT)
_DUMP: Final = "dump.sql"
_MANIFEST: Final = "manifest.json"
_FILES: Final = "files.json"


def backup_store(files: Files) -> ObjectStore:
    """The backup bucket, as the operation's files name it."""
    account = Account(**{name: files.text(f"backup/{name}").strip() for name in STORAGE_KEYS})
    return ObjectStore(account, str(files.path("ca.crt")), Lock.of(os.environ))


class NoBucket:
    """In place of the bucket of who has no files."""

    def list(self) -> dict[str, StoredObject]:
        return {}

    def uploads(self, prefix: str) -> tuple[tuple[str, str], ...]:  # noqa: ARG002  as a bucket has it
        return ()

    def abort(self, key: str, upload: str) -> None:  # noqa: ARG002  as a bucket has it
        raise StepFailedError(f"there is no bucket, and so no upload of {key}")

    def open(self, key: str) -> AbstractContextManager[Read]:
        raise StepFailedError(f"there is no bucket, and so no {key}")

    def put(self, key: str, pieces: Iterator[bytes]) -> int:  # noqa: ARG002  as a bucket has it
        raise StepFailedError(f"there is no bucket for {key}")


def bucket_of(files: Files, account: Account | None) -> ObjectStore | NoBucket:
    """Of a tenant."""
    return ObjectStore(account, str(files.path("ca.crt"))) if account is not None else NoBucket()


def newest_copies(store: ObjectStore, tenant: str) -> dict[str, StoredObject]:
    """Copies of the tenant's files, by the key that a file had in the tenant's bucket."""
    prefix = f"{tenant}/files/"
    return {key.removeprefix(prefix).rpartition("/")[0]: one for key, one in store.list(prefix).items()}


def backups(store: ObjectStore, tenant: str) -> list[str]:
    """UIDs of the tenant's backups that have a manifest."""
    return _having(store, tenant, _MANIFEST)


def expired_backups(store: ObjectStore, tenant: str) -> list[str]:
    """UIDs of those whose files are still held for the log."""
    return _having(store, tenant, _FILES)


def _having(store: ObjectStore, tenant: str, name: str) -> list[str]:
    names = [key.split("/") for key in store.list(f"{tenant}/backups/")]
    return [parts[2] for parts in names if parts[-1] == name]


def ready_at(manifest: Mapping[str, Any]) -> int:
    """When its dump was there, in Unix seconds."""
    return int(datetime.fromisoformat(manifest["readyAt"]).timestamp())


class Archive:
    """A tenant's backup of this UID, and the copies of its files that all its backups share."""

    def __init__(self, store: ObjectStore, tenant: str, uid: str, file_key: str) -> None:
        self.store = store
        self.tenant = tenant
        self.uid = uid
        self.prefix = f"{tenant}/backups/{uid}"
        self._key = bytes.fromhex(file_key)

    def write_dump(self, pieces: Iterable[bytes]) -> int:
        """Store the dump of all schemas; its size in the bucket."""
        sealed = seal(Reader(packed(pieces)).read, self._key, self._name(_DUMP))
        return self.store.put(f"{self.prefix}/{_DUMP}", sealed)

    def read_dump(self, manifest: Mapping[str, Any]) -> Iterator[bytes]:
        """What was dumped when this manifest was written; a former attempt has sealed another dump for the same place.

        Raises:
            DamagedError: it is not; of what passes only its end is known too late, so nothing may rest on a part.
        """
        told, content = manifest["dump"], Measured()
        try:
            yield from content.through(unpacked(self._unsealed(_DUMP, told["stored"])))
        except zlib.error as error:
            raise DamagedError(f"the dump cannot be unpacked: {error}") from error
        if (content.size, content.sha256) != (told["bytes"], told["sha256"]):
            raise DamagedError("the dump is not the one that its manifest names")

    def write_manifest(self, manifest: dict[str, Any]) -> None:
        self._write(_MANIFEST, manifest)

    def read_manifest(self) -> dict[str, Any]:
        """Raises RefusedError when the backup is of another release, StepFailedError when it is damaged."""
        return self._read(_MANIFEST)

    def expire(self, *, files_held_from: int | None) -> None:
        """Remove the backup. Whoever is killed meanwhile does it again.

        There is a backup as long as there is its manifest. So that goes before the dump, and behind the note of the files,
        which are held of one that was made from this Unix second on: the log may need them.
        """
        key = f"{self.prefix}/{_MANIFEST}"
        if self.store.first(key) == key:
            try:
                manifest = self.read_manifest()
            except (DamagedError, RefusedError) as error:
                logger.warning("backup %s is removed as it is: %s", self.uid, error)
            else:
                if files_held_from is not None and ready_at(manifest) >= files_held_from:
                    self._write(_FILES, manifest)
            self.store.delete(key)
        self.store.delete(f"{self.prefix}/{_DUMP}")

    def read_held(self) -> dict[str, Any]:
        """The manifest of a backup that has expired, whose files are held."""
        return self._read(_FILES)

    def release_files(self) -> None:
        """Hold the files of an expired backup no longer."""
        self.store.delete(f"{self.prefix}/{_FILES}")

    def _write(self, name: str, manifest: dict[str, Any]) -> None:
        text = json.dumps({"format": _FORMAT, **manifest}).encode()
        sealed = seal(Reader(iter([text])).read, self._key, self._name(name))
        self.store.put(f"{self.prefix}/{name}", sealed)

    def _read(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(b"".join(self._unsealed(name)))
        if found.get("format") not in _READABLE:
            known = " and ".join(map(str, _READABLE))
            raise RefusedError(f"the backup has the format {found.get('format', 1)}, and this release reads {known}")
        return found

    def copies(self) -> dict[str, StoredObject]:
        """All copies of the tenant's files, by key."""
        return self.store.list(f"{self.tenant}/files/")

    def copy_of(self, file: StoredObject) -> str:
        """Key of the copy of a file."""
        return f"{self.tenant}/files/{file.key}/{file.etag}"

    def _unsealed(self, name: str, size: int | None = None) -> Iterator[bytes]:
        try:
            with self.store.open(f"{self.prefix}/{name}", size) as read:
                yield from unseal(read, self._key, self._name(name))
        except SealBrokenError as error:
            raise DamagedError(f"{name} is not what was written: {error}") from error

    def _name(self, what: str) -> str:
        """Binds what is sealed to its place: nothing of another backup or tenant passes for it."""
        return f"backup {self.tenant} {self.uid} {what}"
