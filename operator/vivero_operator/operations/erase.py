"""Removes what the backup bucket holds of an erased tenant, and leaves the receipt: the program of a TenantErasure's Job.

Nothing of it could be read any more when this begins: the key is gone. Steps, each safe to repeat:

log       waits until the archiver has passed the erasure, so that nothing comes after what is removed here
objects   counts them once, for the receipt, and removes every version and every unfinished upload
receipt   looks again, and says what a lock keeps and until when
"""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from vivero_core.backends.tally import tally
from vivero_core.model.tenant_erasure import ErasedNames, ErasureResult

from vivero_operator.archiver.position import Positions
from vivero_operator.operations import program
from vivero_operator.operations.archive import backup_store
from vivero_operator.operations.errors import StepFailedError
from vivero_operator.operations.object_store import ObjectStore, StoredVersion, end_uploads
from vivero_operator.operations.orders import LEDGER, ORDER_FILE, EraseOrder
from vivero_operator.operations.program import Files
from vivero_operator.operations.runner import Said

_SKEW_SECONDS: Final = 5
"""By how much the clocks of operator and server may differ."""
_LOG_SECONDS: Final = 600.0
_LOOK_SECONDS: Final = 2.0
_BATCH: Final = 250
"""Removed at once: in five seconds, if one takes 20 ms."""


def wait_for_log(
    store: ObjectStore, order: EraseOrder, sleep: Callable[[float], None] = time.sleep, seconds: float = _LOG_SECONDS
) -> Said:
    """Wait until the archiver has read, and stored or left out, all that was committed before the erasure was done."""
    if order.server is None:
        return Said(message="no log is archived")
    for _ in range(int(seconds / _LOOK_SECONDS)):
        position = Positions(store, order.server).load()
        if position.until > order.after + _SKEW_SECONDS and order.tenant not in position.waiting:
            return Said(message="the archived log is past the erasure")
        sleep(_LOOK_SECONDS)
    raise StepFailedError("the archiver has not passed the erasure: is the DatabaseServer Recoverable?")


def remove_objects(store: ObjectStore, order: EraseOrder) -> Said:
    """Count what is there, unless an attempt before has begun to remove it; then remove it."""
    key = _key(store, order)
    if _stored(store, key) is None:
        found = tally(one.key for one in _versions(store, order) if not one.marker)
        copies = ErasedNames(kind="backup objects", count=found.count, sha256=found.sha256)
        _put(store, key, order.receipt | {"erasedCopies": copies.dump()})
    removed = 0
    present = _versions(store, order)
    while batch := list(islice(present, _BATCH)):
        removed += len(batch) - len(store.remove(batch))
    end_uploads(store, _prefix(order))
    return Said(message=f"{removed} objects removed")


def write_receipt(store: ObjectStore, order: EraseOrder) -> Said:
    """What is left has to be under a lock, or the step fails; the receipt says until when."""
    key = _key(store, order)
    receipt = _stored(store, key)
    if receipt is None:
        raise StepFailedError(f"{key} is gone: what was to be removed is not known any more")
    until = max((_locked(store, one) for one in _versions(store, order)), default=None)
    receipt |= {"removedAt": datetime.now(UTC).isoformat(timespec="seconds")}
    receipt |= {"copiesUntil": until.isoformat(timespec="seconds")} if until else {}
    _put(store, key, receipt)
    copies = ErasedNames.model_validate(receipt["erasedCopies"])
    result = ErasureResult(erased_copies=copies, receipt=key, copies_until=until)
    words = f"a lock keeps copies until {until:%Y-%m-%dT%H:%M:%SZ}" if until else "nothing is left in the backup bucket"
    return Said(message=f"receipt {key}; {words}", result=result.model_dump(mode="json", exclude_none=True))


def _locked(store: ObjectStore, version: StoredVersion) -> datetime:
    until = store.locked_until(version)
    if until is None:
        raise StepFailedError(f"{version.key} is still there, and no lock keeps it")
    return until


def _prefix(order: EraseOrder) -> str:
    return f"{order.tenant}/"


def _versions(store: ObjectStore, order: EraseOrder) -> Iterator[StoredVersion]:
    return store.versions(_prefix(order))


def _key(store: ObjectStore, order: EraseOrder) -> str:
    """Of the receipt; that of an earlier erasure of the same tenant stays as it is."""
    first = f"{LEDGER}{order.tenant}.json"
    present = _stored(store, first)
    ours = present is None or present.get("erasure") == order.uid
    return first if ours else f"{LEDGER}{order.tenant}.{order.uid}.json"


def _stored(store: ObjectStore, key: str) -> dict[str, Any] | None:
    if store.first(key) != key:
        return None
    try:
        found: dict[str, Any] = json.loads(store.read_whole(key))
    except ValueError as error:
        raise StepFailedError(f"{key} cannot be read") from error
    return found


def _put(store: ObjectStore, key: str, receipt: dict[str, Any]) -> None:
    store.put_whole(key, json.dumps(receipt, indent=1, sort_keys=True).encode(), {})


def _with_store(step: Callable[[ObjectStore, EraseOrder], Said]) -> program.Step:
    def run(files: Files) -> Said:
        return step(backup_store(files), EraseOrder.load(files.text(ORDER_FILE)))

    return run


STEPS: Final = {
    "log": _with_store(wait_for_log),
    "objects": _with_store(remove_objects),
    "receipt": _with_store(write_receipt),
}

if __name__ == "__main__":
    program.main(STEPS)
