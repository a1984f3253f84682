"""Whatever happens to an object of the backup bucket: what is restored is exact, or it is refused.

Each kind of object is cut, flipped, lengthened, lost, left out of listings, put back to what it was before, and swapped with
another of the tenant and with a neighbour's. The bucket is a dictionary, the log is made by `binlog.py`.
"""

import json
import random
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, cast

import pytest
from unit.operator.test_archive import BEGIN, IDS, KEYS, SERVER, Bucket, Log, follow
from vivero_core.backends.s3.transport import Body
from vivero_core.sealing import seal
from vivero_operator.archiver.archive import KEY_SECONDS
from vivero_operator.archiver.archive import Archive as ArchiveOfServer
from vivero_operator.archiver.bodies import Beginning
from vivero_operator.archiver.chain import Span, TrimmedChain, _metadata
from vivero_operator.archiver.events import Type
from vivero_operator.archiver.logfile import events_of_file
from vivero_operator.archiver.position import Gap, Positions, sequence
from vivero_operator.operations.archive import Archive, newest_copies
from vivero_operator.operations.errors import DamagedError, RefusedError, StepFailedError
from vivero_operator.operations.expire import Expiry
from vivero_operator.operations.new_tenant import sealed_anew
from vivero_operator.operations.object_store import StoredObject
from vivero_operator.operations.orders import ExpiryOrder
from vivero_operator.operations.replayed import Replayed
from vivero_operator.operations.streams import Measured, Reader, packed

TENANT, OTHER = IDS[:2]
FILES = {"f1": b"first of a customer", "f2": b"second of a customer"}
SECONDS = tuple(range(BEGIN, BEGIN + 60, 5))
PLACES = 12
"""Seeded places in each object, beside its first and last bytes, where it is cut and flipped."""
Objects = dict[str, tuple[bytes, Mapping[str, str]]]
Told = dict[str, Any]


class Store(Bucket):
    """That knows what each object was before, and can leave one out of its listings."""

    def __init__(self) -> None:
        super().__init__()
        self.before: dict[str, list[tuple[bytes, Mapping[str, str]]]] = {}
        self.unlisted: str | None = None

    def put_whole(self, key: str, body: Body, metadata: Mapping[str, str]) -> None:
        if key in self.objects:
            self.before.setdefault(key, []).append(self.objects[key])
        super().put_whole(key, body, metadata)

    def put(self, key: str, pieces: Iterator[bytes]) -> int:
        body = b"".join(pieces)
        self.put_whole(key, body, {})
        return len(body)

    def delete(self, key: str) -> None:
        self.objects.pop(key, None)

    def first(self, prefix: str) -> str | None:
        return min(self.list(prefix), default=None)

    def list(self, prefix: str = "") -> dict[str, StoredObject]:
        found = super().list(prefix)
        return {key: one for key, one in found.items() if key != self.unlisted}


class Scene:
    """Two tenants with a log of several segments, two backups each, of which one was made in two attempts, and files."""

    def __init__(self) -> None:
        self.store, self.log = Store(), Log()
        self.committed: dict[str, list[tuple[int, str]]] = {TENANT: [], OTHER: []}
        for number in range(1, 6):
            for tenant in (TENANT, OTHER):
                self.log.add(tenant)
                self.committed[tenant].append((int(self.log.now), f"0-7-{len(self.log.groups)}"))
            follow(self.log, cast("Bucket", self.store))
            if number in {2, 4}:
                for tenant in (TENANT, OTHER):
                    self.back_up(tenant, f"b{number}")
            self.log.now += 4

    def back_up(self, tenant: str, uid: str) -> None:
        archive = Archive(self.store.store, tenant, uid, KEYS[tenant].hex())
        held = []
        for key, content in FILES.items():
            body = b"".join(seal(Reader(iter([content])).read, KEYS[tenant], key))
            held.append(StoredObject(key, len(body), "etag"))
            self.store.put(archive.copy_of(held[-1]), iter([body]))
        gtids = [gtid for _, gtid in self.committed[tenant]]
        # An attempt that came to its manifest, and the one that was read back: as large in the bucket, and another moment.
        others = ([*gtids[:-1], f"0-7-{number}"] for number in range(1, 99) if f"0-7-{number}" not in gtids)
        former = next(one for one in others if _packed_size(one) == _packed_size(gtids))
        for taken in (former, gtids):
            measured = Measured()
            stored = archive.write_dump(measured.through([json.dumps(taken).encode()]))
            at = datetime.fromtimestamp(int(self.log.now), UTC).isoformat()
            dump = {"gtid": gtids[-1], "stored": stored, "bytes": measured.size, "sha256": measured.sha256}
            files = [asdict(one) for one in held]
            archive.write_manifest({"takenAt": at, "readyAt": at, "dump": dump, "schemas": [], "files": files})

    def restored(self, second: int, folder: Path) -> Told:
        """What a restore to this second would hold. Raises StepFailedError and RefusedError."""
        folder.mkdir(exist_ok=True)
        replayed = Replayed(self.store.store, TENANT, SERVER, KEYS[TENANT].hex(), folder)
        bases = replayed.bases()
        if second not in replayed.history.reach(bases):
            raise RefusedError("out of reach")
        base = replayed.history.base_for(second, bases)
        held: list[str] = []
        if base is not None:
            archive = replayed.archive(base.uid)
            held = json.loads(b"".join(archive.read_dump(archive.read_manifest())))
        after = sequence(base.gtid) if base is not None else 0
        for file in replayed.history.log_files(second, folder, after=after):
            with file.open("rb") as log:
                events = events_of_file(log.read)
                held += [str(Beginning.of(one).gtid) for one in events if one.type is Type.GTID]
        return {"transactions": held, "files": self.files()}

    def files(self) -> dict[str, bytes | None]:
        """As the steps of a restore take them; None for one that is in no place any more, which is told."""
        found: dict[str, bytes | None] = {}
        copies = newest_copies(self.store.store, TENANT)
        for key in FILES:
            if key not in copies:
                found[key] = None
                continue
            with self.store.open(copies[key].key) as read:
                sealed = b"".join(sealed_anew(read, (KEYS[TENANT], KEYS[OTHER]), key))
            again = sealed_anew(Reader(iter([sealed])).read, (KEYS[OTHER], KEYS[OTHER]), key)
            assert len(b"".join(again)) == len(sealed)
            found[key] = sealed
        return found

    def exact(self, second: int) -> list[str]:
        return [gtid for at, gtid in self.committed[TENANT] if at <= second]


def _packed_size(gtids: list[str]) -> int:
    return len(b"".join(packed([json.dumps(gtids).encode()])))


def kind_of(key: str) -> str:
    """Where an object of this key may stand, whoever's and whichever it is."""
    parts = ["*" if part in {*IDS, SERVER} else part for part in key.split("/")]
    name = "/".join(parts[:2])
    return name if parts[1] != "backups" else f"{name}/{parts[3]}"


def damages(
    store: Store, key: str, chance: random.Random
) -> Iterator[tuple[str, tuple[bytes, Mapping[str, str]] | None]]:
    """What may have become of an object."""
    body, told = store.objects[key]
    places = {0, len(body) - 1, *(chance.randrange(len(body)) for _ in range(PLACES))}
    for at in sorted(places):
        yield f"cut at {at}", (body[:at], told)
        yield f"flipped at {at}", (body[:at] + bytes([body[at] ^ 1 << chance.randrange(8)]) + body[at + 1 :], told)
    yield "longer", (body + b"x", told)
    yield "twice", (2 * body, told)
    yield "huge", (body + bytes(1 << 20), told)
    yield "gone", None
    for number, one in enumerate(store.before.get(key, ())):
        yield f"as it was at {number}", one
    for other, one in store.objects.items():
        if other != key and kind_of(other) == kind_of(key):
            yield f"swapped with {other}", one
            yield f"content of {other}", (one[0], told)
    for name, value in told.items():
        yield f"{name} changed", (body, {**told, name: chance.choice([value[:-1], value[:-1] + "1", "9" + value, ""])})


def objects_of(store: Store) -> list[str]:
    """One of the first, one of the middle and one of the end of each kind that concerns the tenant."""
    kinds: dict[str, list[str]] = {}
    for key in sorted(store.objects):
        if key.startswith((f"{TENANT}/", "servers/")):
            kinds.setdefault(kind_of(key), []).append(key)
    return sorted({key for keys in kinds.values() for key in (keys[0], keys[len(keys) // 2], keys[-1])})


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Told]:
    """What can be restored of an archive that nothing has happened to."""
    scene, found = Scene(), {}
    for second in SECONDS:
        with suppress(RefusedError):
            found[second] = scene.restored(second, tmp_path_factory.mktemp("whole"))
            assert found[second]["transactions"] == scene.exact(second)
    assert len(found) > len(SECONDS) / 2
    return found


def check(scene: Scene, second: int, folder: Path) -> bool:
    """Whether it was restored, and then exactly."""
    try:
        found = scene.restored(second, folder)
    except (StepFailedError, RefusedError):
        return False
    assert found["transactions"] == scene.exact(second)
    return True


@pytest.mark.parametrize("key", objects_of(Scene().store))
def test_exact_or_refused(key: str, whole: dict[int, Told], tmp_path: Path) -> None:
    chance, scene = random.Random(key), Scene()  # noqa: S311  a seed
    objects = dict(scene.store.objects)
    restored = 0
    for number, (what, damaged) in enumerate(damages(scene.store, key, chance)):
        scene.store.objects = dict(objects)
        if damaged is None:
            del scene.store.objects[key]
        else:
            scene.store.objects[key] = damaged
        restored += check(scene, chance.choice(list(whole)), tmp_path / f"{number}-{what.partition(' ')[0]}")
        assert {k: v for k, v in scene.store.objects.items() if k != key} == {
            k: v for k, v in objects.items() if k != key
        }
    scene.store.objects, scene.store.unlisted = dict(objects), key
    for second in whole:
        check(scene, second, tmp_path / f"unlisted-{second}")
    scene.store.unlisted = None
    assert check(scene, max(whole), tmp_path / "at-last"), "it is the damage that was refused"


@pytest.mark.parametrize("name", ["first", "last", "begins", "ends", "sha256"])
def test_what_a_segment_covers_is_sealed_too(name: str, whole: dict[int, Told], tmp_path: Path) -> None:
    """Whoever can write to the bucket can make the digest fit."""
    scene = Scene()
    for number, key in enumerate(sorted(scene.store.list(f"{TENANT}/log/"))):
        body, told = scene.store.objects[key]
        segment = TrimmedChain(scene.store.store, TENANT, KEYS[TENANT])._segment(key)  # noqa: SLF001  to write one of ours
        span = asdict(segment.span)
        change = {"first": "0-7-1", "last": "0-7-1", "begins": BEGIN, "ends": BEGIN}
        changed = (
            replace(segment, sha256="0" * 64)
            if name == "sha256"
            else replace(segment, span=Span(**(span | {name: change[name]})))
        )
        scene.store.objects[key] = (body, _metadata(TENANT, changed))
        for second in whole:
            check(scene, second, tmp_path / f"{number}-{second}")
        scene.store.objects[key] = (body, told)


def test_with_the_key_gone_nothing_opens_and_with_anothers_neither(tmp_path: Path) -> None:
    for key in (bytes(32), KEYS[OTHER]):
        replayed = Replayed(Scene().store.store, TENANT, SERVER, key.hex(), tmp_path)
        assert replayed.bases() == []
        with pytest.raises(StepFailedError, match="is not what was written"):
            replayed.history.reach([])


def test_a_gap_whose_note_is_gone_is_refused(tmp_path: Path) -> None:
    """Without it the log before the gap and behind it would pass for one."""
    scene = Scene()
    positions = Positions(scene.store.store, SERVER)
    positions.add_gap(Gap("0-7-4", BEGIN + 10, BEGIN + 12))
    positions.save(replace(positions.load(), gaps=1))
    second = max(SECONDS[:6])
    check(scene, second, tmp_path / "with")
    del scene.store.objects[f"servers/{SERVER}/gaps/{BEGIN + 10:012}"]
    with pytest.raises(DamagedError, match="gaps"):
        scene.restored(second, tmp_path / "without")


def test_a_loss_whose_note_is_gone_is_refused(tmp_path: Path) -> None:
    scene = Scene()
    scene.log.add(TENANT)
    with closing(ArchiveOfServer(scene.store.store, SERVER, lambda _: None, lambda: scene.log.now)) as archive:
        scene.log.send(archive)
        scene.log.now += KEY_SECONDS
        archive.store_due()
        archive.store_due(everything=True)
    assert Positions(scene.store.store, SERVER).load().losses == [TENANT]
    del scene.store.objects[f"{TENANT}/lost"]
    with pytest.raises(DamagedError, match=f"{TENANT}/lost is gone"):
        scene.restored(int(scene.log.now) - 5, tmp_path)


def test_an_archiver_that_finds_its_newest_segment_gone_leaves_its_number_out(tmp_path: Path) -> None:
    """Else the next one took the number, and the loss could not be seen."""
    scene = Scene()
    newest = min(scene.store.list(f"{TENANT}/log/"))
    lost = scene.store.objects.pop(newest)
    scene.log.add(TENANT)
    scene.log.add(OTHER)
    follow(scene.log, cast("Bucket", scene.store))
    assert newest not in scene.store.objects
    with pytest.raises(RefusedError, match="lacks segment 5"):
        scene.restored(int(scene.log.now) - 2, tmp_path)
    scene.committed[TENANT].append((int(scene.log.now), "0-7-11"))
    scene.back_up(TENANT, "b6")
    scene.log.now += 4
    scene.log.add(TENANT)
    scene.committed[TENANT].append((int(scene.log.now), "0-7-13"))
    follow(scene.log, cast("Bucket", scene.store))
    now = int(scene.log.now)
    assert scene.restored(now - 1, tmp_path / "behind")["transactions"] == scene.exact(now - 1)
    assert len(scene.store.list(f"{OTHER}/log/")) == 6, "its neighbour is archived as before"
    assert lost[0]


def damaged_newest(store: Store, how: str) -> None:
    """Something that an archiver finds where the newest segment should be."""
    newest = min(store.list(f"{TENANT}/log/"))
    body, told = store.objects[newest]
    others = store.objects[min(store.list(f"{OTHER}/log/"))]
    number = int(newest.rpartition("/")[2], 16)
    made: dict[str, dict[str, tuple[bytes, Mapping[str, str]]]] = {
        "cut name": {f"{TENANT}/log/0": (b"x", {})},
        "no number": {f"{TENANT}/log/fffffzz": (b"x", {})},
        "number of no segment": {f"{TENANT}/log/000000000001": (body, told)},
        "far number": {f"{TENANT}/log/{number - 1000:012x}": (b"x", {})},
        "next number": {f"{TENANT}/log/{number - 1:012x}": (b"x", {})},
        "no metadata": {newest: (body, {})},
        "other metadata": {newest: (body, {**told, "ends": "1"})},
        "another tenant's": {newest: others},
        "two of them": {newest: (body, {}), f"{TENANT}/log/{number - 1:012x}": (b"x", {})},
    }
    store.objects |= made[how]


UNHARMED: Final = {"cut name", "no number", "number of no segment", "next number"}
"""Nothing of the tenant's is gone with these, and nothing of them stays in its chain."""


@pytest.mark.parametrize(
    "how", [*sorted(UNHARMED), "far number", "no metadata", "other metadata", "another tenant's", "two of them"]
)
def test_a_damaged_object_stops_nobody_elses_archive(how: str, tmp_path: Path) -> None:
    scene = Scene()
    damaged_newest(scene.store, how)
    for tenant in (TENANT, OTHER):
        scene.log.add(tenant)
        scene.committed[tenant].append((int(scene.log.now), f"0-7-{len(scene.log.groups)}"))
    follow(scene.log, cast("Bucket", scene.store))
    assert len(scene.store.list(f"{OTHER}/log/")) == 6, "its neighbour is archived"
    second = int(scene.log.now) - 1
    if how in UNHARMED:
        assert scene.restored(second, tmp_path / "at-once")["transactions"] == scene.exact(second)
    else:
        check(scene, second, tmp_path / "at-once")
    if how == "far number":
        del scene.store.objects[min(scene.store.list(f"{TENANT}/log/"))]  # until a person looks
        assert scene.restored(second, tmp_path / "removed")["transactions"] == scene.exact(second)
    scene.back_up(TENANT, "b6")
    scene.log.now += 4
    scene.log.add(TENANT)
    scene.committed[TENANT].append((int(scene.log.now), f"0-7-{len(scene.log.groups)}"))
    follow(scene.log, cast("Bucket", scene.store))
    now = int(scene.log.now)
    assert scene.restored(now - 1, tmp_path / "behind")["transactions"] == scene.exact(now - 1)


def test_a_manifest_that_is_not_listed_keeps_the_copies_of_all_files() -> None:
    scene = Scene()
    kept = ("b2", "b4")
    order = ExpiryOrder(TENANT, SERVER, (), int(scene.log.now), 0, KEYS[TENANT].hex(), kept)
    copies = scene.store.list(f"{TENANT}/files/").keys()
    for uid in kept:
        scene.store.unlisted = f"{TENANT}/backups/{uid}/manifest.json"
        assert "copies of files stay" in Expiry(scene.store.store, order).run().message
        assert scene.store.list(f"{TENANT}/files/").keys() == copies
