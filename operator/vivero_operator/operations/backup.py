"""The program of a TenantBackup: copies the stored files, dumps the schemas, reads all of it back (archive.py: where).

A file that an earlier backup has copied is not copied again. Where the order names a former backup and nothing was changed
since, nothing is written: the data is read twice rather than stored twice, for what was begun cannot be unwritten. The list of files is read before and after the dump, so
that neither a file that comes meanwhile nor one that goes is missing.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import gettempdir
from typing import Any, Final

from vivero_operator.operations.archive import Archive, backup_store, bucket_of
from vivero_operator.operations.dumps import TRAILER, Fingerprint, by_schema, dumped, gtid_of, with_left_out
from vivero_operator.operations.errors import RefusedError, StepFailedError
from vivero_operator.operations.object_store import StoredObject, end_uploads, holds
from vivero_operator.operations.orders import CLIENT_FILE, ORDER_FILE, BackupOrder
from vivero_operator.operations.program import Files, Step, main
from vivero_operator.operations.runner import Said
from vivero_operator.operations.streams import Measured, pieces_of

logger = logging.getLogger(__name__)


class Backup:
    """One backup, and where it comes from and goes to."""

    def __init__(self, files: Files) -> None:
        self.order = BackupOrder.load(files.text(ORDER_FILE))
        self.archive = Archive(backup_store(files), self.order.tenant, self.order.uid, self.order.file_key)
        self._client_file = files.path(CLIENT_FILE)
        self._source = bucket_of(files, self.order.storage)

    def copy_files(self) -> dict[str, StoredObject]:
        """Copy what the backup bucket lacks; what the tenant's bucket holds now, by key."""
        held, there = self._source.list(), self.archive.copies()
        for one in held.values():
            copy = self.archive.copy_of(one)
            if not holds(there, copy, one.size):
                with self._source.open(one.key) as read:
                    self.archive.store.put(copy, pieces_of(read))
        return held

    def is_unchanged(self) -> bool:
        """Whether the data is that of the former backup. One that cannot be read holds nothing."""
        former = self.order.former
        if former is None:
            return False
        try:
            manifest = Archive(self.archive.store, self.order.tenant, former.uid, self.order.file_key).read_manifest()
        except (RefusedError, StepFailedError) as error:
            logger.warning("there is nothing to compare with: %s", error)
            return False
        if self._source.list() != {one["key"]: StoredObject(**one) for one in manifest["files"]}:
            return False
        data = {name: Fingerprint() for name in self.order.schemas}
        for _ in self._dumped(data):
            pass
        return bool(told_of(data) == manifest["schemas"])

    def dump(self) -> dict[str, Any]:
        """Dump the schemas, as of one moment, into the backup bucket; what the manifest says of it."""
        content, data = Measured(), {name: Fingerprint() for name in self.order.schemas}
        size = self.archive.write_dump(content.through(self._dumped(data)))
        if TRAILER not in content.tail:
            raise StepFailedError("the dump ends without its trailer")
        told = {"bytes": content.size, "sha256": content.sha256, "stored": size, "gtid": gtid_of(content.tail)}
        return {"dump": told, "schemas": told_of(data)}

    def _dumped(self, data: dict[str, Fingerprint]) -> Iterator[bytes]:
        """The dump, each line of it counted for whose it is."""
        names = self.order.schemas
        found = dumped(self._client_file, *names, position=self.order.logged, foreign=self.order.others.routines)
        for whose, line in by_schema(found, names):
            for name in (whose,) if whose else names:
                data[name].add(line)
            yield line

    def verify(self, manifest: dict[str, Any]) -> None:
        """Read the dump back, and compare it with what was dumped."""
        content = Measured()
        for _ in content.through(self.archive.read_dump(manifest)):
            pass
        if TRAILER not in content.tail:
            raise StepFailedError("the dump ends without its trailer")

    def verify_files(self, held: list[dict[str, Any]]) -> None:
        there = self.archive.copies()
        for one in (StoredObject(**each) for each in held):
            if not holds(there, self.archive.copy_of(one), one.size):
                raise StepFailedError(f"file {one.key} is not in the backup bucket")


def told_of(data: Mapping[str, Fingerprint]) -> list[dict[str, str]]:
    """What a manifest says of schemas."""
    return [{"schema": name, "rows": one.rows, "tables": one.tables} for name, one in data.items()]


def copy_files(files: Files) -> Said:
    """Step `files`: most of the bytes, before the moment of the backup; or the end, if nothing was changed."""
    backup = Backup(files)
    if backup.is_unchanged():
        _scratch().write_text(json.dumps(None))
        return Said(message="Nothing was changed since the backup before")
    held = backup.copy_files()
    _scratch().write_text(json.dumps([asdict(one) for one in held.values()]))
    return Said(message=f"Files in the backup bucket: {len(held)}")


def dump(files: Files) -> Said:
    """Step `dump`: the schemas, and the files that came meanwhile."""
    backup, noted = Backup(files), json.loads(_scratch().read_text())
    if noted is None:
        return Said(message="Nothing to dump")
    end_uploads(backup.archive.store, f"{backup.archive.prefix}/")  # of an attempt before
    before = {one["key"]: StoredObject(**one) for one in noted}
    taken_at = datetime.now(UTC)
    told = backup.dump()
    ready_at = datetime.now(UTC) + timedelta(seconds=1)  # whole seconds, rounded up
    held = before | backup.copy_files()
    events = [f"event {name}" for name in backup.order.others.events]
    manifest = {
        "tenant": backup.order.tenant,
        "takenAt": taken_at.isoformat(timespec="seconds"),
        "readyAt": ready_at.isoformat(timespec="seconds"),
        **told,
        "files": [asdict(one) for one in held.values()],
        "events": events,
    }
    backup.archive.write_manifest(manifest)
    stored = told["dump"]["stored"]
    dumped_now = f"Schemas dumped: {len(told['schemas'])}, bytes in the bucket: {stored}"
    return Said(message=with_left_out(dumped_now, events))


def verify(files: Files) -> Said:
    """Step `verify`: all of it read back."""
    backup = Backup(files)
    former = backup.order.former
    if former is not None and json.loads(_scratch().read_text()) is None:
        return Said(message="Nothing to read back", result={"unchangedSince": former.name})
    manifest = backup.archive.read_manifest()
    if not manifest["schemas"]:
        raise RefusedError("the manifest names no schema")
    backup.verify(manifest)
    backup.verify_files(manifest["files"])
    result = {
        "prefix": backup.archive.prefix,
        "bytes": manifest["dump"]["stored"],
        "files": len(manifest["files"]),
        "takenAt": manifest["takenAt"],
        "gtid": manifest["dump"]["gtid"],
    }
    return Said(message="Read back, the same as written", result=result)


def _scratch() -> Path:
    """What one step leaves to the next."""
    return Path(gettempdir()) / "files.json"


STEPS: Final[Mapping[str, Step]] = {"files": copy_files, "dump": dump, "verify": verify}

if __name__ == "__main__":
    main(STEPS)
