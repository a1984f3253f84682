"""A tenant's data as its archive has it: a base and the log behind it, in a throw-away server below a folder.

Restores to a second and proofs both begin so. The log is replayed nowhere else: a statement of it may name any schema.
"""

import json
import logging
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from vivero_core.model import naming

from vivero_operator.archiver.position import sequence
from vivero_operator.operations.archive import Archive, backups, ready_at
from vivero_operator.operations.dumps import of_schema, statements
from vivero_operator.operations.errors import RefusedError, StepFailedError
from vivero_operator.operations.history import Base, History
from vivero_operator.operations.object_store import ObjectStore
from vivero_operator.operations.scratch_server import ScratchServer

logger = logging.getLogger(__name__)


_PROGRAMS: Final = (
    "SELECT CONCAT('view ', TABLE_NAME) FROM information_schema.VIEWS"
    " UNION SELECT CONCAT('event ', EVENT_NAME) FROM information_schema.EVENTS"
)


class LogFiles(Protocol):
    """Makes the files of a tenant's log up to an end of its own, behind a transaction's number."""

    def __call__(self, folder: Path, *, after: int) -> list[Path]:
        """In this folder; `after`: see History.log_files."""
        ...


def _names(owner: str, schemas: Sequence[str]) -> tuple[str, ...]:
    """All schemas that the log of a tenant, or of the control plane, may name."""
    return naming.database_names(owner) if naming.is_tenant_id(owner) else tuple(schemas)


class Replayed:
    """Of one tenant. All calls block, and raise StepFailedError and RefusedError."""

    def __init__(self, store: ObjectStore, tenant: str, server: str, file_key: str, folder: Path) -> None:
        """`server`: UID of the DatabaseServer. `file_key`: 64 hexadecimal digits."""
        self._store = store
        self._tenant = tenant
        self._file_key = file_key
        self.history = History(store, tenant, server, bytes.fromhex(file_key))
        self._folder = folder
        self._logs = folder / "logs"
        self.server = ScratchServer(folder / "server")

    def archive(self, uid: str) -> Archive:
        """The tenant's backup of this UID."""
        return Archive(self._store, self._tenant, uid, self._file_key)

    def bases(self) -> list[Base]:
        """The tenant's backups whose place in the log is known."""
        found = []
        for uid in backups(self._store, self._tenant):
            try:
                manifest = self.archive(uid).read_manifest()
            except (RefusedError, StepFailedError) as error:
                logger.warning("backup %s is no base: %s", uid, error)
                continue
            if (gtid := manifest["dump"]["gtid"]) is not None:
                found.append(Base(uid, ready_at(manifest), gtid))
        return found

    def replay(self, base: Base | None, schemas: Sequence[str], log_files: LogFiles) -> int:
        """Fill these schemas of the server, which runs, with a base, and replay the log behind it; how many bytes of the log."""
        self.note("left", self._load(base, schemas) if base is not None else [])
        files = log_files(self._logs, after=sequence(base.gtid) if base is not None else 0)
        size = sum(file.stat().st_size for file in files)
        self.server.replay(files, _names(self._tenant, schemas))
        return size

    def throw_away(self) -> None:
        """The server, and the files that it has replayed."""
        self.server.remove()
        shutil.rmtree(self._logs, ignore_errors=True)

    def note(self, name: str, content: Any = None) -> Any:  # noqa: ANN401  JSON
        """What one step leaves to the next."""
        file = self._folder / f"{name}.json"
        if content is not None:
            file.write_text(json.dumps(content))
        return json.loads(file.read_text())

    def left_out(self) -> list[str]:
        """Events and views of the base that it did not bring back, and the log neither."""
        there = {str(name) for (name,) in self.server.query(_PROGRAMS)}
        return [name for name in self.note("left") if name not in there]

    def _load(self, base: Base, schemas: Sequence[str]) -> list[str]:
        """What of it is not loaded."""
        archive = self.archive(base.uid)
        manifest = archive.read_manifest()
        left, version = list(manifest.get("events", ())), self.server.version()
        for name in schemas:
            dump = of_schema(archive.read_dump(manifest), schemas, name)
            left += map(str, self.server.load(name, statements(dump, version)))
        return left
