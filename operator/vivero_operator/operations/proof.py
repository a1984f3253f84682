"""The program of a TenantProof: brings the tenant back from its archive in a throw-away server, and compares it with the live data.

It proves the control plane's tables as well, which belong to an owner without files. The live data moves on meanwhile: so what it holds as of one transaction is noted first, and the log is replayed up to that
very transaction. Nothing of the live tenant is written to. Which base it begins with is drawn by the proof's UID, so that
every base that is kept has its night.
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import gettempdir
from typing import Final, TypeVar

from vivero_operator.operations.archive import NoBucket, backup_store, bucket_of, newest_copies
from vivero_operator.operations.dumps import Contents, contents, differences, dumped
from vivero_operator.operations.errors import StepFailedError
from vivero_operator.operations.history import Base
from vivero_operator.operations.new_tenant import STORED_FILES
from vivero_operator.operations.object_store import ObjectStore, StoredObject, holds
from vivero_operator.operations.orders import CLIENT_FILE, ORDER_FILE, ProofOrder
from vivero_operator.operations.program import Files, Step, main
from vivero_operator.operations.replayed import Replayed
from vivero_operator.operations.runner import Said
from vivero_operator.operations.streams import Measured, pieces_of

_WAIT_SECONDS: Final = 300.0
"""For the transaction to be archived: while any new tenant's key is on its way, nothing behind its first change is."""
_LOOK_SECONDS: Final = 1.0
T = TypeVar("T")
_READ_BYTES: Final = 16 * 1024 * 1024
"""Of files whose contents are compared in one proof; the sizes of all are."""
_NAMED: Final = 5
"""Of what is wrong, so many are named."""


class Proof:
    """One proof, and what it compares."""

    def __init__(self, files: Files) -> None:
        self.order = order = ProofOrder.load(files.text(ORDER_FILE))
        self.client_file = files.path(CLIENT_FILE)
        self.store = backup_store(files)
        self.source = bucket_of(files, order.source)
        self.schemas = order.schemas
        self.replayed = Replayed(self.store, order.tenant, order.server, order.file_key, Path(gettempdir()))

    def awaited(self, otherwise: str, look: Callable[[], T | None]) -> T:
        """What a look finds at last."""
        deadline = time.monotonic() + _WAIT_SECONDS
        while (found := look()) is None:
            if time.monotonic() > deadline:
                raise StepFailedError(f"{otherwise} within {_WAIT_SECONDS:.0f} s")
            time.sleep(_LOOK_SECONDS)
        return found

    def replay(self, base: Base | None, gtid: str) -> int:
        """Bring the data back in the server, which runs; how many bytes of the log that took."""
        return self.replayed.replay(base, self.schemas, partial(self.replayed.history.log_files_to, gtid))

    def stored_files(self) -> list[str]:
        """Those that the replayed data names; who has no bucket has none."""
        if self.order.source is None:
            return []
        return [str(row[0]) for row in self.replayed.server.query(STORED_FILES, self.schemas[0])]

    def missing_copies(self, base: Base | None, copies: dict[str, StoredObject]) -> list[str]:
        """Files of the base whose copies are not there as they were."""
        if base is None:
            return []
        archive = self.replayed.archive(base.uid)
        files = (StoredObject(**one) for one in archive.read_manifest()["files"])
        return [one.key for one in files if not holds(copies, archive.copy_of(one), one.size)]

    def unlike_copies(self, live: Iterable[StoredObject], copies: dict[str, StoredObject]) -> tuple[int, list[str]]:
        """How many files were compared with their copies byte by byte, and which are not the same."""
        compared, unlike, left = 0, [], _READ_BYTES
        for one in sorted(live, key=lambda one: _drawn(self.order.uid, one.key)):
            copy = f"{self.order.tenant}/files/{one.key}/{one.etag}"
            if copy not in copies or one.size > left:
                continue
            left -= one.size
            compared += 1
            if _sha256(self.source, one.key) != _sha256(self.store, copy):
                unlike.append(one.key)
        return compared, unlike


def look(files: Files) -> Said:
    """Step `live`: what the live tenant holds, as of one transaction; its files before and after, for some come and go."""
    proof = Proof(files)
    before = proof.source.list()
    at = datetime.now(UTC)
    dump = dumped(proof.client_file, *proof.schemas, position=True, foreign=proof.order.others.routines)
    found = contents(dump, proof.schemas)
    if found.gtid is None:
        raise StepFailedError("the server does not say which transaction the dump ends with")
    there = before | proof.source.list()
    proof.replayed.note("live", asdict(found))
    proof.replayed.note("files", [asdict(one) for one in there.values()])
    proof.replayed.note("at", at.isoformat(timespec="seconds"))
    counted = f"Tables: {len(found.tables)}, views, triggers and routines: {len(found.programs)}, files: {len(there)}"
    return Said(message=f"{counted}, as of transaction {found.gtid}")


def replay(files: Files) -> Said:
    """Step `log`: the archive, up to that transaction."""
    proof = Proof(files)
    gtid: str = proof.replayed.note("live")["gtid"]
    history = proof.replayed.history
    proof.awaited(f"transaction {gtid} was not archived", lambda: history.holds(gtid) or None)
    bases = proof.replayed.bases()
    base = chosen(history.beginnings(gtid, bases), proof.order.uid)
    at = datetime.fromisoformat(proof.replayed.note("at")).timestamp()
    reach = proof.awaited(
        "the second of that transaction was not in reach",
        lambda: found if (found := history.reach(bases)).ends >= at else None,
    )
    proof.replayed.throw_away()  # of an attempt before
    with proof.replayed.server.running():
        size = proof.replay(base, gtid)
    proof.replayed.note("base", [asdict(base)] if base is not None else [])
    proof.replayed.note("lacks", history.lacks() or "")
    proof.replayed.note("reach", [_moment(reach.begins), _moment(reach.ends)])
    onto = f"the backup {base.uid}" if base is not None else "nothing"
    return Said(message=f"Log replayed onto {onto}, bytes: {size}")


def compare(files: Files) -> Said:
    """Step `compare`: table by table, and the files that the data names."""
    proof = Proof(files)
    live = Contents(**proof.replayed.note("live"))
    with proof.replayed.server.running():
        archived = contents(dumped(proof.replayed.server.option_file, *proof.schemas), proof.schemas)
        wanted = proof.stored_files()
    _require_none("not the same as the live data", differences(live, archived))
    there = {one["key"]: StoredObject(**one) for one in proof.replayed.note("files")}
    base = next((Base(**one) for one in proof.replayed.note("base")), None)
    copies = proof.store.list(f"{proof.order.tenant}/files/")
    kept = there.keys() | newest_copies(proof.store, proof.order.tenant).keys()
    _require_none("files that the data names and nobody has", [key for key in wanted if key not in kept])
    _require_none("files whose copies are missing", proof.missing_copies(base, copies))
    compared, unlike = proof.unlike_copies(there.values(), copies)
    _require_none("files whose copies are not the same", unlike)
    proof.replayed.throw_away()
    begins, ends = proof.replayed.note("reach")
    told = {
        "provenAt": proof.replayed.note("at"),
        "reachableFrom": begins,
        "reachableTo": ends,
        "transaction": live.gtid,
    }
    told |= {"tables": len(live.tables), "files": len(wanted)}
    said = f"The same as the live data: tables {len(live.tables)}, files {len(wanted)}, of those read {compared}"
    lacks = proof.replayed.note("lacks")
    return Said(message=f"{said}; but {lacks}" if lacks else said, result=told)


def chosen(beginnings: Sequence[Base | None], uid: str) -> Base | None:
    """Which of them this proof begins with: each is drawn as often as another."""
    return min(beginnings, key=lambda one: _drawn(uid, one.uid if one is not None else ""))


def _drawn(uid: str, name: str) -> str:
    """Another order for every proof, and the same one in each of its attempts."""
    return hashlib.sha256(f"{uid} {name}".encode()).hexdigest()


def _sha256(store: ObjectStore | NoBucket, key: str) -> str:
    content = Measured()
    with store.open(key) as read:
        for _ in content.through(pieces_of(read)):
            pass
    return content.sha256


def _require_none(what: str, found: list[str]) -> None:
    if found:
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        raise StepFailedError(f"{what}: {', '.join(found[:_NAMED])}{more}")


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


STEPS: Final[Mapping[str, Step]] = {"live": look, "log": replay, "compare": compare}

if __name__ == "__main__":
    main(STEPS)
