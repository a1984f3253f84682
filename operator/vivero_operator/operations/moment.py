"""The program of a TenantRestore to a second: replays the tenant's archived log, loads what came of it, compares.

It is replayed in a server of its own, and loaded into what is to be filled, with the files that it names. The log is
replayed nowhere else: a statement of it may name any schema (docs/backup.md).
"""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import gettempdir
from typing import Final

from vivero_operator.operations.archive import NoBucket, backup_store, bucket_of, newest_copies
from vivero_operator.operations.dumps import Fingerprint, dumped, with_left_out
from vivero_operator.operations.errors import DamagedError, RefusedError, StepFailedError
from vivero_operator.operations.history import Base
from vivero_operator.operations.new_tenant import STORED_FILES, NewTenant
from vivero_operator.operations.object_store import ObjectStore
from vivero_operator.operations.orders import ORDER_FILE, MomentOrder
from vivero_operator.operations.program import Files, Step, main
from vivero_operator.operations.replayed import Replayed
from vivero_operator.operations.runner import Said

_WAIT_SECONDS: Final = 30.0
"""For a second that has just passed to be archived."""
_LOOK_SECONDS: Final = 1.0
_EVENTS: Final = "SELECT EVENT_NAME FROM information_schema.EVENTS ORDER BY 1"


class Moment:
    """One restore, and where it comes from and goes to."""

    def __init__(self, files: Files) -> None:
        self.order = MomentOrder.load(files.text(ORDER_FILE))
        self.store = backup_store(files)
        self.new = NewTenant(files, self.order.target, self.order.file_key)
        self.source = bucket_of(files, self.order.source)
        order = self.order
        self.replayed = Replayed(self.store, order.tenant, order.server, order.file_key, Path(gettempdir()))
        self.history, self.server = self.replayed.history, self.replayed.server

    def require_reach(self, bases: list[Base]) -> int:
        """Wait until the second is archived; which it is. Raises RefusedError when it cannot be restored."""
        until = self.order.until
        if until is None:
            return self.history.reach(bases).ends
        deadline = time.monotonic() + _WAIT_SECONDS
        while until > (reach := self.history.reach(bases)).ends and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
        if until not in reach:
            raise RefusedError(f"out of reach; what can be restored: {reach}")
        return until

    def replay(self, base: Base | None, until: int) -> int:
        """Replay the log onto the base; how many bytes of it."""
        return self.replayed.replay(base, self.new.sources, partial(self.history.log_files, until))

    def stored_files(self) -> list[str]:
        """Those that the replayed data names; who has no bucket has none."""
        if self.order.source is None:
            return []
        return [str(row[0]) for row in self.server.query(STORED_FILES, self.new.data[0])]


def replay(files: Files) -> Said:
    """Step `log`."""
    moment = Moment(files)
    bases = moment.replayed.bases()
    until = moment.require_reach(bases)
    base = moment.history.base_for(until, bases)
    moment.replayed.throw_away()  # of an attempt before
    with moment.server.running():
        size = moment.replay(base, until)
        moment.replayed.note("files", moment.stored_files())
    moment.replayed.note("until", until)
    onto = f"the backup {base.uid}" if base is not None else "nothing"
    return Said(message=f"Log replayed onto {onto}, bytes: {size}")


def load(files: Files) -> Said:
    """Step `database`."""
    moment = Moment(files)
    expected: dict[str, dict[str, str]] = {}
    names: list[str] = []
    with moment.server.running():
        for source, target in moment.new.schemas.items():
            data = Fingerprint()
            names += map(str, moment.new.load(data.through(dumped(moment.server.option_file, source)), source))
            expected[target] = {"rows": data.rows, "tables": data.tables}
        names += [f"event {row[0]}" for row in moment.server.query(_EVENTS)]
        names += moment.replayed.left_out()
    moment.replayed.note("expected", expected)
    return Said(message=with_left_out(f"Schemas loaded: {len(expected)}", names))


def copy_files(files: Files) -> Said:
    """Step `files`: from the tenant's bucket, or, where a file was deleted since, from the backups."""
    moment = Moment(files)
    moment.new.end_uploads()
    there, live, kept = moment.new.files(), moment.source.list(), newest_copies(moment.store, moment.order.tenant)
    missing = 0
    for key in (key for key in moment.replayed.note("files") if key not in there):
        places: list[tuple[ObjectStore | NoBucket, str]] = [(moment.source, key)] if key in live else []
        if key in kept:
            places.append((moment.store, kept[key].key))
        missing += not _copied(moment.new, key, places)
    moment.replayed.note("missing", missing)
    return Said(
        message=f"Files in the tenant's bucket: {len(moment.replayed.note('files')) - missing}, gone for good: {missing}"
    )


def _copied(new: NewTenant, key: str, places: Sequence[tuple[ObjectStore | NoBucket, str]]) -> bool:
    """Whether a file was anywhere: the first that is what its workspace wrote is taken.

    Raises:
        DamagedError: none is.
    """
    damaged: DamagedError | None = None
    for store, at in places:
        try:
            with store.open(at) as read:
                new.add_file(key, read)
        except DamagedError as error:
            damaged = error
            continue
        return True
    if damaged is not None:
        raise damaged
    return False


def verify(files: Files) -> Said:
    """Step `verify`: what was loaded is dumped as well, and compared with what was replayed."""
    moment = Moment(files)
    for schema, expected in moment.replayed.note("expected").items():
        moment.new.compare(schema, expected["rows"], expected["tables"])
    there, wanted, missing = moment.new.files(), moment.replayed.note("files"), moment.replayed.note("missing")
    if len(set(wanted) & set(there)) + missing != len(wanted):
        raise StepFailedError("files that were copied are not in the tenant's bucket")
    result = {
        "files": len(wanted) - missing,
        "missingFiles": missing,
        "restoredTo": datetime.fromtimestamp(moment.replayed.note("until"), UTC).isoformat(),
    }
    return Said(message="The same as replayed", result=result)


STEPS: Final[Mapping[str, Step]] = {"log": replay, "database": load, "files": copy_files, "verify": verify}

if __name__ == "__main__":
    main(STEPS)
