"""What has expired is removed, and whoever is killed at whichever step leaves an archive whose every backup is whole.

The bucket is a dictionary, the log is made by `binlog.py`, and the program is killed at each of its writes and deletions.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from unit.operator.test_archive import BEGIN, IDS, KEYS, SERVER, Bucket, KilledError, Log, follow
from vivero_core.model import naming
from vivero_operator.archiver.chain import ReadableChain
from vivero_operator.archiver.position import sequence
from vivero_operator.operations.archive import Archive, backups, ready_at
from vivero_operator.operations.errors import RefusedError, StepFailedError
from vivero_operator.operations.expire import Expiry
from vivero_operator.operations.history import Base, History, Reach
from vivero_operator.operations.object_store import StoredObject
from vivero_operator.operations.orders import ExpiryOrder
from vivero_operator.operations.streams import Measured

TENANT, KEY = IDS[0], KEYS[IDS[0]].hex()
STEP = 1000
"""Seconds between two backups; between them are three transactions, each in a segment of its own."""


class Store(Bucket):
    """That can be killed at deletions, too."""

    def put(self, key: str, pieces: Iterator[bytes]) -> int:
        body = b"".join(pieces)
        self.put_whole(key, body, {})
        return len(body)

    def delete(self, key: str) -> None:
        dies = self.kill_in == 0
        if self.kill_in is not None:
            self.kill_in -= 1
        if dies and not self.kill_after:
            raise KilledError
        self.objects.pop(key, None)
        if dies:
            raise KilledError

    def archive(self, uid: str) -> Archive:
        return Archive(self.store, TENANT, uid, KEY)


@dataclass
class Given:
    """A tenant with a log and backups b1, b2, …; backup n names the files of the two before it and its own."""

    log: Log
    store: Store
    before: Store
    """As it was made."""

    @classmethod
    def made(cls, count: int = 6, *, other: str | None = None) -> "Given":
        made = cls(Log(), Store(), Store())
        for number in range(1, count + 1):
            for _ in range(3):
                made.log.add(TENANT)
                if other is not None:
                    made.log.add(other)
                follow(made.log, made.store)
            made.back_up(f"b{number}", [f"f{one}" for one in range(max(1, number - 2), number + 1)])
            made.log.now = BEGIN + number * STEP
        made.before.objects = dict(made.store.objects)
        return made

    def back_up(self, uid: str, files: list[str]) -> None:
        held = [StoredObject(name, 4, "v1") for name in files]
        archive = self.store.archive(uid)
        for one in held:
            self.store.put(archive.copy_of(one), iter([b"file"]))
        told = Measured()
        stored = archive.write_dump(told.through([b"dump"]))
        at = datetime.fromtimestamp(int(self.log.now), UTC).isoformat()
        gtid = f"0-7-{len(self.log.groups)}"
        files_told = [{"key": one.key, "size": one.size, "etag": one.etag} for one in held]
        dump = {"gtid": gtid, "stored": stored, "bytes": told.size, "sha256": told.sha256}
        archive.write_manifest({"takenAt": at, "readyAt": at, "dump": dump, "schemas": [], "files": files_told})

    def order(self, *uids: str, window_begins: int = 0, server: str | None = SERVER) -> ExpiryOrder:
        return ExpiryOrder(TENANT, server, uids, int(self.log.now), window_begins, KEY)

    def expire(self, order: ExpiryOrder) -> str:
        return Expiry(self.store.store, order).run().message

    @property
    def uids(self) -> list[str]:
        return sorted(backups(self.store.store, TENANT))

    @property
    def files(self) -> list[str]:
        return sorted(key.split("/")[2] for key in self.store.list(f"{TENANT}/files/"))

    @property
    def segments(self) -> int:
        return len(self.store.list(f"{TENANT}/log/"))

    @property
    def history(self) -> History:
        return History(self.store.store, TENANT, SERVER, KEYS[TENANT])

    def bases(self) -> list[Base]:
        found = [(uid, self.store.archive(uid).read_manifest()) for uid in self.uids]
        return [Base(uid, ready_at(one), one["dump"]["gtid"]) for uid, one in found]

    def reach(self) -> Reach:
        return self.history.reach(self.bases())

    def require_whole(self, folder: Path) -> None:
        """Every backup that there is has all that it names, and every second within reach can be replayed."""
        for uid in self.uids:
            archive = self.store.archive(uid)
            assert b"".join(archive.read_dump(archive.read_manifest())) == b"dump"
            for one in archive.read_manifest()["files"]:
                assert archive.copy_of(StoredObject(**one)) in self.store.objects
        reach, bases = self.reach(), self.bases()
        for second in {reach.begins, self.at(3) + 10, self.at(5), reach.ends}:
            base = self.history.base_for(second, bases)
            begin = sequence(base.gtid) if base is not None else 0
            assert begin + _groups(self.history, second, begin, folder) == _groups(self.whole, second, 0, folder)

    @property
    def whole(self) -> History:
        """As it was before anything was removed."""
        return History(self.before.store, TENANT, SERVER, KEYS[TENANT])

    def at(self, number: int) -> int:
        """When backup `number` was there."""
        return ready_at(self.before.archive(f"b{number}").read_manifest())


def _groups(history: History, until: int, after: int, folder: Path) -> int:
    """How many transactions are replayed."""
    (place := folder / f"{len(list(folder.iterdir()))}").mkdir()
    found = history.log_files(until, place, after=after)
    return sum(file.read_bytes().count(naming.database_name(TENANT).encode()) for file in found)


def at(number: int) -> int:
    """When backup `number` was there, of those that are made first."""
    return AT[number]


AT = {number: Given.made().at(number) for number in range(1, 7)}


class TestBackups:
    def test_what_has_expired_goes_and_what_is_left_has_all_it_names(self, tmp_path: Path) -> None:
        given = Given.made()
        said = given.expire(given.order("b1", "b2", window_begins=at(3)))
        assert given.uids == ["b3", "b4", "b5", "b6"]
        assert not [key for key in given.store.objects if "/b1/" in key or "/b2/" in key]
        assert given.files == ["f1", "f2", "f3", "f4", "f5", "f6"], "b3 names the files of the two before"
        assert said.startswith("Backups removed: 2, ")
        given.require_whole(tmp_path)

    def test_a_file_that_nobody_names_goes_with_the_last_who_did(self) -> None:
        given = Given.made()
        given.expire(given.order("b1", "b2", "b3", window_begins=at(6) + 1))
        assert given.files == ["f2", "f3", "f4", "f5", "f6"]

    def test_a_file_is_held_while_a_second_in_reach_of_the_log_may_need_it(self) -> None:
        given = Given.made()
        given.expire(given.order("b1", "b2", "b3", "b4", "b5", window_begins=at(1)))
        assert given.uids == ["b6"]
        assert given.files == ["f1", "f2", "f3", "f4", "f5", "f6"]
        given.expire(given.order(window_begins=at(4)))
        assert given.files == ["f2", "f3", "f4", "f5", "f6"], "b4 names f2 and is within"
        given.expire(given.order(window_begins=at(5) + 1))
        assert given.files == ["f4", "f5", "f6"]
        assert not [key for key in given.store.objects if key.endswith("files.json")]

    def test_without_an_archived_log_nothing_is_held_or_trimmed(self) -> None:
        given = Given.made()
        before = given.segments
        given.expire(given.order("b1", "b2", "b3", "b4", "b5", window_begins=at(1), server=None))
        assert given.files == ["f4", "f5", "f6"]
        assert given.segments == before

    def test_unfinished_uploads_of_the_tenant_end_and_others_go_on(self) -> None:
        given = Given.made()
        given.store.waiting = [(f"{TENANT}/backups/b9/dump.sql", "1"), (f"{IDS[1]}/files/f/etag", "2")]
        given.expire(given.order())
        assert given.store.waiting == [(f"{IDS[1]}/files/f/etag", "2")]

    def test_a_backup_that_is_gone_already_is_no_fault(self) -> None:
        given = Given.made()
        given.expire(given.order("b1", "never was", window_begins=at(3)))
        assert given.uids == ["b2", "b3", "b4", "b5", "b6"]

    def test_while_a_manifest_cannot_be_read_no_file_goes(self) -> None:
        given = Given.made()
        key = f"{TENANT}/backups/b2/manifest.json"
        given.store.objects[key] = (given.store.objects[key][0][:-1], {})
        said = given.expire(given.order("b1", "b3", "b4", "b5", window_begins=at(6) + 1))
        assert said.endswith("copies of files stay, for backup b2 cannot be read")
        assert given.files == ["f1", "f2", "f3", "f4", "f5", "f6"]
        given.expire(given.order("b2", window_begins=at(6) + 1))
        assert given.uids == ["b6"]
        assert given.files == ["f4", "f5", "f6"]

    def test_others_are_left_alone(self) -> None:
        given = Given.made(other=IDS[1])
        before = {key: value for key, value in given.store.objects.items() if not key.startswith(TENANT)}
        given.expire(given.order("b1", "b2", "b3", "b4", "b5", window_begins=int(given.log.now)))
        assert {key: value for key, value in given.store.objects.items() if not key.startswith(TENANT)} == before


class TestLog:
    def test_it_begins_behind_the_newest_base_that_is_older_than_the_window(self, tmp_path: Path) -> None:
        given = Given.made()
        before, birth = given.segments, given.reach().begins
        said = given.expire(given.order(window_begins=at(3) + 10))
        assert birth < at(1)
        assert (before, given.segments) == (18, 9)
        assert "segments of the log: 9" in said
        assert given.reach().begins == at(3)
        given.require_whole(tmp_path)

    def test_a_base_that_is_younger_than_the_window_trims_nothing(self) -> None:
        given = Given.made()
        given.expire(given.order(window_begins=at(1) - 1))
        assert given.segments == 18

    def test_a_segment_within_the_window_stays_although_a_base_holds_it(self) -> None:
        """Dates of transactions and of bases are those of two clocks."""
        given = Given.made(2)
        bases = [Base("early", BEGIN, "0-7-6")]
        (first, *_) = ReadableChain(given.store.store, TENANT, KEYS[TENANT]).segments()
        assert given.history.surplus(first.span.ends - 1, bases) is None
        assert given.history.surplus(first.span.ends, bases) == first

    def test_the_newest_segment_stays_and_the_archiver_goes_on(self, tmp_path: Path) -> None:
        given = Given.made()
        given.expire(given.order("b1", "b2", "b3", "b4", "b5", window_begins=int(given.log.now) + 10**6))
        assert given.segments == 1
        given.log.add(TENANT)
        follow(given.log, given.store)
        chain = ReadableChain(given.store.store, TENANT, KEYS[TENANT])
        assert [one.number for one in chain.segments()] == [18, 19]
        assert _groups(given.history, int(given.log.now), sequence(given.bases()[0].gtid), tmp_path) == 1

    def test_what_is_out_of_reach_is_refused_with_what_is_not(self) -> None:
        given = Given.made()
        given.expire(given.order("b1", "b2", window_begins=at(3)))
        assert at(2) not in given.reach()
        with pytest.raises(RefusedError, match="the log of aaaaaaaaaa from then is not kept any more"):
            given.history.base_for(at(2), given.bases())

    def test_words_of_a_record_are_not_taken_for_the_birth_of_the_tenant(self) -> None:
        given = Given.made()
        given.expire(given.order("b1", "b2", window_begins=at(3)))
        (first, *_) = ReadableChain(given.store.store, TENANT, KEYS[TENANT]).segments()
        given.log.groups[sequence(first.span.first) - 1][2] += b"CREATE DATABASE"
        assert given.reach().begins == at(3)

    @pytest.mark.parametrize("damage", ["changed", "another tenant's", "gone"])
    def test_where_it_begins_is_not_believed_to_anybody(self, damage: str) -> None:
        given, key = Given.made(other=IDS[1]), f"{TENANT}/trimmed"
        given.expire(given.order(window_begins=at(3) + 2 * STEP))
        body = given.store.objects[key][0]
        if damage == "gone":
            del given.store.objects[key]
        else:
            given.store.objects[key] = (body[:-1] + bytes([body[-1] ^ 1]), {})
        if damage == "another tenant's":
            given.store.objects[f"{IDS[1]}/trimmed"] = (body, {})
            chain = ReadableChain(given.store.store, IDS[1], KEYS[IDS[1]])
        else:
            chain = ReadableChain(given.store.store, TENANT, KEYS[TENANT])
        if damage == "gone":
            torn = chain.missing().torn
            assert torn is not None, "nothing says that what is missing was given up"
            assert torn == next(chain.segments())
            return
        with pytest.raises(StepFailedError, match="is not what was written"):
            list(chain.segments())


def _steps() -> int:
    given = Given.made()
    given.store.kill_in = 10**6
    given.expire(_all_at_once(given))
    return 10**6 - given.store.kill_in


def _all_at_once(given: Given) -> ExpiryOrder:
    """Backups within the window and older ones, segments, files that are held and files that are not."""
    return given.order("b1", "b2", "b4", "b5", window_begins=at(3) + 10)


STEPS = _steps()


@pytest.mark.parametrize("after", [False, True], ids=["before it", "after it"])
@pytest.mark.parametrize("cut", range(STEPS))
def test_whoever_is_killed_leaves_a_whole_archive_and_the_next_one_ends_the_same(
    cut: int, tmp_path: Path, *, after: bool
) -> None:
    undisturbed = Given.made()
    undisturbed.expire(_all_at_once(undisturbed))
    given = Given.made()
    given.store.kill_in, given.store.kill_after = cut, after
    with pytest.raises(KilledError):
        given.expire(_all_at_once(given))
    given.store.kill_in = None
    given.require_whole(tmp_path)
    assert given.reach().begins <= at(3)
    again = copy.deepcopy(given)
    again.expire(_all_at_once(again))
    assert again.store.objects.keys() == undisturbed.store.objects.keys()
    assert (again.uids, again.files, again.segments) == (["b3", "b6"], undisturbed.files, 9)
    again.require_whole(tmp_path)


def test_it_has_more_than_a_few_steps() -> None:
    assert STEPS > 15
