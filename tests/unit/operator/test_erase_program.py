"""The program that removes an erased tenant's objects from the backup bucket: killed anywhere, refused, told to wait."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from vivero_core.backends.tally import tally
from vivero_core.model.tenant_erasure import ErasureResult
from vivero_operator.archiver.position import Position, written
from vivero_operator.operations import erase
from vivero_operator.operations.errors import StepFailedError
from vivero_operator.operations.object_store import StoredVersion
from vivero_operator.operations.orders import EraseOrder
from vivero_operator.operations.runner import Said

TENANT, OTHER, SERVER = "u5g5446au3", "aaaaaaaaaa", "uid-of-main"
ORDER = EraseOrder(TENANT, "uid-1", SERVER, 1000, {"id": TENANT, "erasure": "uid-1", "orderedBy": "request 17"})
KEYS = [f"{TENANT}/backups/b/dump.sql", f"{TENANT}/files/f/etag", f"{TENANT}/log/0001"]
POSITION = f"servers/{SERVER}/position"
LOCKED = datetime(2026, 12, 24, tzinfo=UTC)


class KilledError(Exception):
    """The pod ends here."""


@dataclass
class Store:
    """A bucket with versions in memory."""

    objects: dict[str, list[bytes]] = field(default_factory=dict)
    locked: dict[str, datetime] = field(default_factory=dict)
    waiting: list[tuple[str, str]] = field(default_factory=list)
    lives: int = -1

    def _live(self) -> None:
        self.lives -= 1
        if self.lives == 0:
            raise KilledError

    def put_whole(self, key: str, body: bytes, metadata: Mapping[str, str]) -> None:  # noqa: ARG002  as the real one
        self.objects[key] = [body]
        self._live()

    def first(self, prefix: str) -> str | None:
        return min((key for key in self.objects if key.startswith(prefix)), default=None)

    def read_whole(self, key: str) -> bytes:
        return self.objects[key][-1]

    def versions(self, prefix: str) -> Iterator[StoredVersion]:
        for key in sorted(self.objects):
            for number in range(len(self.objects[key]) if key.startswith(prefix) else 0):
                yield StoredVersion(key, str(number))

    def remove(self, versions: Sequence[StoredVersion]) -> tuple[str, ...]:
        kept = tuple(one.key for one in versions if one.key in self.locked)
        for one in versions:
            if one.key not in self.locked:
                self.objects.pop(one.key, None)
                self._live()
        return kept

    def locked_until(self, version: StoredVersion) -> datetime | None:
        return self.locked.get(version.key)

    def uploads(self, prefix: str) -> tuple[tuple[str, str], ...]:
        return tuple(one for one in self.waiting if one[0].startswith(prefix))

    def abort(self, key: str, upload: str) -> None:
        self.waiting.remove((key, upload))
        self._live()


def filled(**more: Any) -> Any:  # noqa: ANN401  as the program's store, which has a client
    objects = {key: [b"sealed"] for key in [*KEYS, f"{OTHER}/log/0001"]}
    objects[KEYS[0]].append(b"a second version")
    position = Position({0: "0-1-7"}, until=2000)
    objects[POSITION] = [written(POSITION, asdict(position))]
    uploads = [(f"{TENANT}/files/half", "one"), (f"{OTHER}/files/half", "two")]
    return Store(objects, waiting=uploads, **more)


def run(store: Any, order: EraseOrder = ORDER) -> Said:  # noqa: ANN401  as above
    for step in (erase.wait_for_log, erase.remove_objects):
        step(store, order)
    return erase.write_receipt(store, order)


def receipt(store: Store, key: str = f"erasures/{TENANT}.json") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(store.objects[key][-1])
    return found


def of_tenant(store: Store) -> Iterable[str]:
    return [key for key in store.objects if key.startswith(f"{TENANT}/")]


def test_nothing_of_the_tenant_is_left_and_all_of_others() -> None:
    store = filled()
    said = run(store)
    assert of_tenant(store) == []
    assert f"{OTHER}/log/0001" in store.objects
    assert store.waiting == [(f"{OTHER}/files/half", "two")]
    told = receipt(store)
    versions = sorted([*KEYS, KEYS[0]])
    assert told["erasedCopies"] == {"kind": "backup objects", "count": 4, "sha256": tally(versions).sha256}
    assert told["orderedBy"] == "request 17"
    assert "copiesUntil" not in told
    result = ErasureResult.model_validate(said.result)
    assert result.receipt == f"erasures/{TENANT}.json"
    assert result.erased_copies is not None
    assert result.erased_copies.count == 4


@pytest.mark.parametrize("lives", range(1, 8))
def test_killed_anywhere_the_next_attempt_ends_the_same(lives: int) -> None:
    store = filled(lives=lives)
    try:
        run(store)
    except KilledError:
        run(store)
    assert of_tenant(store) == []
    assert receipt(store)["erasedCopies"]["count"] == 4
    assert "removedAt" in receipt(store)


def test_what_a_lock_keeps_is_told_with_its_end() -> None:
    store = filled(locked={KEYS[1]: LOCKED, KEYS[2]: datetime(2026, 12, 1, tzinfo=UTC)})
    said = run(store)
    assert list(of_tenant(store)) == KEYS[1:]
    assert receipt(store)["copiesUntil"] == "2026-12-24T00:00:00+00:00"
    assert ErasureResult.model_validate(said.result).copies_until == LOCKED


def test_what_is_left_without_a_lock_is_no_success() -> None:
    store = filled()
    erase.remove_objects(store, ORDER)
    store.objects[KEYS[0]] = [b"came later"]
    with pytest.raises(StepFailedError, match="is still there"):
        erase.write_receipt(store, ORDER)


def test_a_second_erasure_leaves_the_first_receipt() -> None:
    store = filled()
    run(store)
    before = store.objects[f"erasures/{TENANT}.json"]
    store.objects[KEYS[0]] = [b"back out of an old backup"]
    again = EraseOrder(TENANT, "uid-2", SERVER, 1000, {"id": TENANT, "erasure": "uid-2"})
    run(store, again)
    assert store.objects[f"erasures/{TENANT}.json"] == before
    assert receipt(store, f"erasures/{TENANT}.uid-2.json")["erasedCopies"]["count"] == 1


@pytest.mark.parametrize("position", [{"until": 1003}, {"until": 2000, "waiting": {TENANT: 900}}])
def test_it_waits_until_the_archive_is_past_the_erasure(position: dict[str, Any]) -> None:
    store = filled()
    past = store.objects[POSITION]
    store.objects[POSITION] = [written(POSITION, asdict(Position({0: "0-1-7"}, **position)))]
    slept: list[float] = []
    with pytest.raises(StepFailedError, match="Recoverable"):
        erase.wait_for_log(store, ORDER, slept.append, seconds=10)
    assert len(slept) == 5

    def arrives(_: float) -> None:
        store.objects[POSITION] = past

    erase.wait_for_log(store, ORDER, arrives, seconds=10)


def test_without_an_archive_there_is_nothing_to_wait_for() -> None:
    order = EraseOrder(TENANT, "uid-1", None, 1000, {})
    assert erase.wait_for_log(filled(), order).message == "no log is archived"


def test_an_order_travels() -> None:
    assert EraseOrder.load(ORDER.dump()) == ORDER
