"""A tenant's data as its archive has it: a base and the log behind it, in a throw-away server below a folder.

Restores to a second and proofs both begin so. The log is replayed nowhere else: a statement of it may name any schema.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from vivero_operator.operations.archive import Archive, backups, ready_at
from vivero_operator.operations.dumps import of_schema, statements
from vivero_operator.operations.errors import RefusedError, StepFailedError
from vivero_operator.operations.history import Base, History
from vivero_operator.operations.object_store import ObjectStore
from vivero_operator.operations.scratch_server import ScratchServer

logger = logging.getLogger(__name__)

STORED_FILES: Final = "SELECT id FROM files WHERE state = 'stored' ORDER BY id"
"""Of the schema with a tenant's data: the keys of its files in its bucket."""


class Replayed:
    """Of one tenant. All calls block, and raise StepFailedError and RefusedError."""

    def __init__(self, store: ObjectStore, tenant: str, server: str, file_key: str, folder: Path) -> None:
        """`server`: UID of the DatabaseServer. `file_key`: 64 hexadecimal digits."""
        self._store = store
        self._tenant = tenant
        self._file_key = file_key
        self.history = History(store, tenant, server, bytes.fromhex(file_key))
        self.logs = folder / "logs"
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

    def load(self, base: Base, schemas: Sequence[str]) -> None:
        """Fill the server, which runs, with a base."""
        for name in schemas:
            self.server.load(name, statements(of_schema(self.archive(base.uid).read_dump(), schemas, name)))
