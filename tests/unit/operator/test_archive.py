"""Whatever is killed when: every tenant's chain holds every transaction of its own once, in order, sealed, and no other's.

The bucket is a dictionary; the log is made by `binlog.py`.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import groupby
from pathlib import Path
from typing import ClassVar, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.operator import binlog
from vivero_core.backends.s3.transport import Body
from vivero_core.envelope import public_key
from vivero_core.model import naming
from vivero_operator.archiver import segments
from vivero_operator.archiver.archive import COLLECT_SECONDS, KEY_SECONDS, Archive
from vivero_operator.archiver.chain import Chain, ReadableChain, Span
from vivero_operator.archiver.events import Type
from vivero_operator.archiver.position import Gap, Positions, lost
from vivero_operator.archiver.replication import Tick
from vivero_operator.operations.errors import DamagedError, RefusedError, StepFailedError
from vivero_operator.operations.history import Base, History
from vivero_operator.operations.object_store import ObjectStore, StoredObject
from vivero_operator.operations.streams import Read, Reader

IDS = ("aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc")
KEYS = {ident: bytes([number]) * 32 for number, ident in enumerate(IDS, start=1)}
SERVER = "server-uid"
BEGIN = 1_800_000_000


class KilledError(Exception):
    """As a process ends."""


class Bucket:
    """An object store in memory that can fail at any write, before or after it."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, Mapping[str, str]]] = {}
        self.waiting: list[tuple[str, str]] = []
        """Key and id of each unfinished upload."""
        self.kill_in: int | None = None
        self.kill_after = False

    def put_whole(self, key: str, body: Body, metadata: Mapping[str, str]) -> None:
        dies = self.kill_in == 0
        if self.kill_in is not None:
            self.kill_in -= 1
        if dies and not self.kill_after:
            raise KilledError
        self.objects[key] = (body if isinstance(body, bytes) else body.read(), metadata)
        if dies:
            raise KilledError

    def uploads(self, prefix: str) -> tuple[tuple[str, str], ...]:
        return tuple(one for one in self.waiting if one[0].startswith(prefix))

    def abort(self, key: str, upload: str) -> None:
        self.waiting.remove((key, upload))

    def first(self, prefix: str) -> str | None:
        return min((key for key in self.objects if key.startswith(prefix)), default=None)

    def metadata(self, key: str) -> dict[str, str]:
        return dict(self.objects[key][1])

    def list(self, prefix: str = "") -> dict[str, StoredObject]:
        return {
            key: StoredObject(key, len(body), "") for key, (body, _) in self.objects.items() if key.startswith(prefix)
        }

    @contextmanager
    def open(self, key: str, size: int | None = None) -> Iterator[Read]:
        if key not in self.objects:
            raise StepFailedError(f"{key}: NoSuchKey")
        if size is not None and len(self.objects[key][0]) != size:
            raise DamagedError(f"{key} has another size")
        yield Reader(iter([self.objects[key][0]])).read

    def read_whole(self, key: str) -> bytes:
        return self.objects[key][0]

    @property
    def store(self) -> ObjectStore:
        return cast("ObjectStore", self)


class Log:
    """A server's log, which it sends from any position on, and its clock."""

    def __init__(self) -> None:
        self.groups: list[list[bytes]] = []
        self.owners: list[str | None] = []
        self.now = float(BEGIN)

    def add(self, owner: str | None, *, size: int = 5) -> None:
        number = len(self.groups) + 1
        if owner is not None and owner not in self.owners:
            words = f"CREATE DATABASE {naming.database_name(owner)}"
            begin = binlog.gtid(number, binlog.STANDALONE | binlog.DDL, at=int(self.now))
            self.groups.append([begin, binlog.query(words, at=int(self.now))])
        else:
            schema = naming.database_name(owner) if owner else "vivero_control"
            at = int(self.now)
            change = [binlog.table_map(schema, at=at), binlog.rows(content=bytes(size), at=at)]
            self.groups.append([binlog.gtid(number, at=at), *change, binlog.xid(at=at)])
        self.owners.append(owner)

    def tick(self) -> Tick:
        """What the server says at the present second."""
        return Tick(self.now, {0: len(self.groups)} if self.groups else {})

    def send(self, archive: Archive) -> None:
        """A connection from its start until nothing is due any more."""
        done = int(archive.position.connect_state.rpartition("-")[2] or 0)
        archive.tick(self.tick())
        archive.take(binlog.description(flags=binlog.SHIPPED))
        for raw in [raw for group in self.groups[done:] for raw in group]:
            self.now += 0.01
            archive.take(raw)
            archive.store_due()
        for _ in range(2 * int(COLLECT_SECONDS)):
            self.now += 1
            archive.tick(self.tick())
            archive.take(binlog.made(Type.HEARTBEAT))
            archive.store_due()


def follow(log: Log, bucket: Bucket, keys: Mapping[str, bytes] = KEYS, platform_schema: str | None = None) -> Archive:
    """An archiver from its start until all is archived."""

    def key_of(tenant: str) -> bytes | None:
        return public_key(keys[tenant]) if tenant in keys else None

    with closing(Archive(bucket.store, SERVER, key_of, lambda: log.now, platform_schema)) as archive:
        log.send(archive)
        return archive


def archived(bucket: Bucket, tenant: str, keys: Mapping[str, bytes] = KEYS) -> list[bytes]:
    """The groups of a tenant's chain."""
    chain, found = ReadableChain(bucket.store, tenant, keys[tenant]), []
    for segment in chain.segments():
        _, groups = segments.read(chain.read(segment))
        found += [b"".join(one.pieces) for one in groups]
    return found


def expected(log: Log, tenant: str) -> list[bytes]:
    return [b"".join(group) for group, owner in zip(log.groups, log.owners, strict=True) if owner == tenant]


def log_of(*owners: str | None) -> Log:
    log = Log()
    for owner in owners:
        log.add(owner)
    return log


OWNERS = st.lists(st.sampled_from([*IDS, None]), min_size=1, max_size=30)


@settings(deadline=None)
@given(
    parts=st.lists(OWNERS, min_size=1, max_size=3),
    kills=st.lists(st.tuples(st.integers(0, 6), st.booleans()), max_size=4),
)
def test_nothing_is_missing_and_nothing_twice(parts: list[list[str | None]], kills: list[tuple[int, bool]]) -> None:
    log, bucket = Log(), Bucket()
    for owners in parts:
        for owner in owners:
            log.add(owner)
        for at, after in kills:
            bucket.kill_in, bucket.kill_after = at, after
            try:
                follow(log, bucket)
            except KilledError:
                continue
        bucket.kill_in = None
        archive = follow(log, bucket)
        for tenant in IDS:
            assert archived(bucket, tenant) == expected(log, tenant)
        assert archive.position.connect_state == f"0-{binlog.SERVER_ID}-{len(log.groups)}"


class TestControlPlane:
    """Its schema is one more owner, from when the archiver is told so."""

    keys: ClassVar = {**KEYS, naming.PLATFORM_ID: bytes([9]) * 32}

    def follow(self, log: Log, bucket: Bucket, schema: str | None = "vivero_control") -> None:
        follow(log, bucket, self.keys, schema)

    def groups(self, bucket: Bucket) -> list[bytes]:
        return archived(bucket, naming.PLATFORM_ID, self.keys)

    def test_it_is_archived_for_a_key_of_its_own(self) -> None:
        log, bucket = log_of(IDS[0], None, IDS[1], None), Bucket()
        self.follow(log, bucket)
        log.add(None)
        self.follow(log, bucket)
        whole = [b"".join(group) for group, owner in zip(log.groups, log.owners, strict=True) if owner is None]
        assert self.groups(bucket) == whole
        assert archived(bucket, IDS[0]) == expected(log, IDS[0])
        assert lost(bucket, naming.PLATFORM_ID) is None
        assert Positions(bucket, SERVER).load().platform == "vivero_control"

    def test_another_schema_is_nobodys(self) -> None:
        log, bucket = log_of(None), Bucket()
        self.follow(log, bucket, "other")
        assert bucket.first(f"{naming.PLATFORM_ID}/log/") is None

    def test_what_came_before_is_told_as_lost_each_time(self) -> None:
        """So no dump passes for a base whose log has a hole."""
        log, bucket = log_of(None, IDS[0]), Bucket()
        self.follow(log, bucket, None)
        log.add(None)
        self.follow(log, bucket)
        assert lost(bucket, naming.PLATFORM_ID) == f"0-{binlog.SERVER_ID}-2"
        assert self.groups(bucket) == [b"".join(log.groups[2])]
        self.follow(log, bucket, None)
        log.add(None)
        self.follow(log, bucket, None)
        self.follow(log, bucket)
        assert lost(bucket, naming.PLATFORM_ID) == f"0-{binlog.SERVER_ID}-4"
        history = History(bucket.store, naming.PLATFORM_ID, SERVER, self.keys[naming.PLATFORM_ID])
        older = Base("older", BEGIN, f"0-{binlog.SERVER_ID}-3")
        with pytest.raises(RefusedError, match="neither its first transaction nor a base"):
            history.reach([older])


def test_until_is_never_later_than_what_is_archived() -> None:
    log, bucket = log_of(IDS[0]), Bucket()
    with closing(Archive(bucket.store, SERVER, lambda _: public_key(KEYS[IDS[0]]), lambda: log.now)) as archive:
        archive.tick(log.tick())
        for raw in (binlog.description(), *log.groups[0]):
            archive.take(raw)
            archive.store_due()
            assert archive.position.until < BEGIN
        log.now += COLLECT_SECONDS
        archive.tick(log.tick())
        archive.store_due()
        assert archive.position.until == int(log.now)
        assert archived(bucket, IDS[0]) == expected(log, IDS[0])


def test_a_log_that_is_behind_says_so() -> None:
    log, bucket = log_of(*IDS), Bucket()
    with closing(Archive(bucket.store, SERVER, lambda _: None, lambda: log.now)) as archive:
        for raw in (binlog.description(), *log.groups[0]):
            log.now += 1
            archive.tick(log.tick())
            archive.take(raw)
            archive.store_due()
        assert archive.position.until == 0, "the server has more"


def test_a_large_transaction_does_not_wait() -> None:
    log, bucket = log_of(IDS[0]), Bucket()
    log.add(IDS[0], size=2_000_000)
    with closing(Archive(bucket.store, SERVER, lambda _: public_key(KEYS[IDS[0]]), lambda: log.now)) as archive:
        archive.tick(log.tick())
        for raw in (binlog.description(), *log.groups[0], *log.groups[1]):
            archive.take(raw)
            archive.store_due()
    assert archived(bucket, IDS[0]) == expected(log, IDS[0])


def test_without_its_key_one_waits_and_the_others_go_on() -> None:
    log, bucket = log_of(IDS[0], IDS[1], IDS[0], IDS[1]), Bucket()
    archive = follow(log, bucket, {IDS[1]: KEYS[IDS[1]]})
    assert archived(bucket, IDS[0]) == []
    assert archived(bucket, IDS[1]) == expected(log, IDS[1])
    assert archive.position.connect_state == "", "it is asked for again from the beginning"
    assert archive.position.until > BEGIN + 1
    assert archive.position.waiting == {IDS[0]: BEGIN - 1}
    follow(log, bucket)
    assert [archived(bucket, tenant) for tenant in IDS[:2]] == [expected(log, tenant) for tenant in IDS[:2]]


def test_a_part_whose_key_never_comes_is_given_up_and_told() -> None:
    log, bucket = log_of(IDS[0], IDS[1], IDS[0]), Bucket()
    keys = {IDS[1]: public_key(KEYS[IDS[1]])}
    with closing(Archive(bucket.store, SERVER, keys.get, lambda: log.now)) as archive:
        log.send(archive)
        log.now += KEY_SECONDS
        archive.store_due()
    assert archive.position.connect_state == "0-7-3"
    log.add(IDS[0])
    follow(log, bucket)
    history = History(bucket.store, IDS[0], SERVER, KEYS[IDS[0]])
    with pytest.raises(RefusedError, match="neither its first"):
        history.reach([])
    at = int(log.now)
    assert history.reach([Base("b", at, "0-7-3")]).begins == at
    with pytest.raises(RefusedError):
        history.reach([Base("b", at, "0-7-2")])


def test_a_schema_that_is_gone_needs_no_key() -> None:
    log, bucket = log_of(IDS[0], IDS[0]), Bucket()
    log.owners.append(IDS[0])
    log.groups.append(binlog.statement(3, f"DROP DATABASE {naming.database_name(IDS[0])}"))
    archive = follow(log, bucket, {})
    assert archive.position.connect_state == "0-7-3"
    assert archive.position.waiting == {}
    assert not bucket.list(IDS[0])


def test_what_an_erased_tenant_leaves_in_the_log_is_not_kept() -> None:
    log, bucket = log_of(IDS[0], IDS[1]), Bucket()
    keys = {IDS[0]: b"", IDS[1]: public_key(KEYS[IDS[1]])}
    with closing(Archive(bucket.store, SERVER, keys.get, lambda: log.now)) as archive:
        log.send(archive)
    assert archived(bucket, IDS[0]) == []
    assert archived(bucket, IDS[1]) == expected(log, IDS[1])
    assert archive.position.connect_state == "0-7-2"


class TestChain:
    def made(self) -> tuple[Bucket, ReadableChain]:
        bucket = Bucket()
        chain = ReadableChain(bucket.store, IDS[0], KEYS[IDS[0]])
        for number in range(3):
            span = Span(f"0-1-{number}", f"0-1-{number}", BEGIN, BEGIN)
            chain.append(public_key(KEYS[IDS[0]]), [b"content %d" % number], span)
        return bucket, chain

    def read(self, bucket: Bucket, tenant: str = IDS[0]) -> list[bytes]:
        chain = ReadableChain(bucket.store, tenant, KEYS[tenant])
        return [b"".join(chain.read(segment)) for segment in chain.segments()]

    def test_it_is_read_in_order(self) -> None:
        bucket, _ = self.made()
        assert self.read(bucket) == [b"content 0", b"content 1", b"content 2"]

    @pytest.mark.parametrize("gone", [0, 1, 2])
    def test_what_is_left_out_is_noticed(self, gone: int) -> None:
        bucket, chain = self.made()
        assert chain.missing().torn is None
        del bucket.objects[sorted(bucket.objects, reverse=True)[gone]]
        if gone == 2:
            assert self.read(bucket) == [b"content 0", b"content 1"], "the end is what the server's position is for"
            assert chain.missing().torn is None
            return
        assert self.read(bucket) == [b"content 0", b"content 1", b"content 2"][gone + 1 :]
        torn = chain.missing().torn
        assert torn is not None
        assert torn.number == gone + 2

    def test_what_does_not_follow_the_one_before_it_is_noticed(self) -> None:
        """Whoever holds the public key can seal a segment for any place."""
        bucket, _ = self.made()
        bucket.objects.pop(min(bucket.objects))
        other = Bucket()
        made = ReadableChain(other.store, IDS[0], KEYS[IDS[0]])
        for number in range(3):
            made.append(public_key(KEYS[IDS[0]]), [b"another"], Span(f"0-1-{number}", f"0-1-{number}", BEGIN, BEGIN))
        newest = min(other.objects)
        bucket.objects[newest] = other.objects[newest]
        with pytest.raises(DamagedError, match=r"segment 3 of .* does not follow the one before it"):
            self.read(bucket)

    def test_what_is_moved_or_taken_from_another_is_noticed(self) -> None:
        bucket, _ = self.made()
        first, second, _ = sorted(bucket.objects, reverse=True)
        bucket.objects[first], bucket.objects[second] = bucket.objects[second], bucket.objects[first]
        with pytest.raises(StepFailedError, match="is not what was written"):
            self.read(bucket)
        bucket, _ = self.made()
        for key in list(bucket.objects):
            bucket.objects[key.replace(IDS[0], IDS[1])] = bucket.objects.pop(key)
        with pytest.raises(StepFailedError, match="is not what was written"):
            self.read(bucket, IDS[1])

    @given(at=st.integers(0, 10_000), bit=st.integers(0, 7), cut=st.booleans())
    def test_what_is_changed_or_cut_is_noticed(self, at: int, bit: int, cut: bool) -> None:  # noqa: FBT001  hypothesis gives them by name
        bucket, _ = self.made()
        key = sorted(bucket.objects)[at % 3]
        body, metadata = bucket.objects[key]
        at %= len(body)
        changed = body[:at] if cut else body[:at] + bytes([body[at] ^ 1 << bit]) + body[at + 1 :]
        bucket.objects[key] = (changed, metadata)
        with pytest.raises(StepFailedError):
            self.read(bucket)

    def test_an_object_that_is_none_of_ours_is_passed_over(self) -> None:
        bucket, chain = self.made()
        newest, whole = chain.head(), self.read(bucket)
        assert newest is not None
        bucket.objects[f"{IDS[0]}/log/0000"] = (b"", {})
        assert ReadableChain(bucket.store, IDS[0], KEYS[IDS[0]]).head() == newest
        assert self.read(bucket) == whole
        assert Chain(bucket.store, IDS[0], newest.number).head() == newest
        assert Chain(bucket.store, IDS[0]).is_cut, "nobody has noted which is the newest"


class TestHistory:
    def history(self, bucket: Bucket, tenant: str = IDS[0]) -> History:
        return History(bucket.store, tenant, SERVER, KEYS[tenant])

    def made(self) -> tuple[Log, Bucket]:
        """A transaction a minute."""
        log, bucket = Log(), Bucket()
        for _ in range(5):
            log.add(IDS[0])
            log.now += 60
            follow(log, bucket)
        return log, bucket

    def content(self, files: list[Path]) -> int:
        """How many groups."""
        return sum(file.read_bytes().count(naming.database_name(IDS[0]).encode()) for file in files)

    def test_what_was_committed_until_a_second_is_there_and_nothing_else(self, tmp_path: Path) -> None:
        log, bucket = self.made()
        history = self.history(bucket)
        reach = history.reach([])
        assert BEGIN < reach.begins < reach.ends <= log.now
        found = set()
        for number, until in enumerate(range(reach.begins, reach.ends + 1)):
            (folder := tmp_path / str(number)).mkdir()
            found.add(self.content(history.log_files(until, folder)))
        assert found == {1, 2, 3, 4, 5}

    def test_a_gap_ends_what_can_be_restored(self) -> None:
        log, bucket = self.made()
        Positions(bucket.store, SERVER).add_gap(Gap("0-7-3", BEGIN + 130, int(log.now)))
        assert self.history(bucket).reach([]).ends == BEGIN + 130

    def test_a_gap_before_the_tenant_was_there_is_none_of_its(self) -> None:
        _, bucket = self.made()
        before = self.history(bucket).reach([])
        Positions(bucket.store, SERVER).add_gap(Gap("0-7-3", 10, 20))
        assert self.history(bucket).reach([]) == before

    def base(self, number: int, at: int = BEGIN + 250) -> Base:
        return Base(f"base-{number}", at, f"0-7-{number}")

    def test_a_base_holds_nothing_that_was_committed_later(self) -> None:
        """The five transactions have the numbers 1 to 5, a minute between them."""
        _, bucket = self.made()
        history, bases = self.history(bucket), [self.base(1), self.base(3), self.base(5)]
        reach = history.reach(bases)
        found = [history.base_for(second, bases) for second in range(reach.begins, reach.ends + 1)]
        assert [one and one.uid for one, _ in groupby(found)] == ["base-1", "base-3", "base-5"]
        assert history.base_for(reach.begins, [self.base(2)]) is None

    def test_the_log_begins_behind_a_base(self, tmp_path: Path) -> None:
        log, bucket = self.made()
        history, until = self.history(bucket), int(log.now)
        counts = []
        for number, after in enumerate([0, 2, 5]):
            (folder := tmp_path / str(number)).mkdir()
            counts.append(self.content(history.log_files(until, folder, after=after)))
        assert counts == [5, 3, 0]

    def test_a_tenant_from_before_the_archive_can_be_restored_from_its_first_base_on(self) -> None:
        log, bucket = Log(), Bucket()
        log.add(None)
        log.owners.append(IDS[0])  # its schema was made before anybody archived
        log.groups.append(binlog.transaction(2, naming.database_name(IDS[0])))
        follow(log, bucket)
        at = int(log.now)
        assert self.history(bucket).reach([self.base(2, at=at)]).begins == at
        with pytest.raises(RefusedError, match="every base of aaaaaaaaaa was made later"):
            self.history(bucket).base_for(1000, [self.base(2, at=at)])
        early = Bucket()
        follow(log, early)
        Positions(early.store, SERVER).begin("0-7-9")
        with pytest.raises(RefusedError, match="neither its first"):
            self.history(early).reach([self.base(2, at=at)])

    def test_after_a_gap_a_new_base_begins_anew(self) -> None:
        _, bucket = self.made()
        Positions(bucket.store, SERVER).add_gap(Gap("0-7-3", BEGIN + 130, BEGIN + 200))
        reach = self.history(bucket).reach([self.base(5, at=BEGIN + 260)])
        assert reach.begins == BEGIN + 260
        assert reach.ends > BEGIN + 260

    @pytest.mark.parametrize("gone", [0, 1, 2, 3])
    def test_behind_a_segment_that_is_gone_a_new_base_begins_anew(self, gone: int, tmp_path: Path) -> None:
        """Transactions, and so segments, have the numbers 1 to 5. What was committed in between, nobody knows when."""
        (_, bucket), (_, intact) = self.made(), self.made()
        whole = self.history(intact)
        assert whole.lacks() is None
        del bucket.objects[sorted(bucket.list(f"{IDS[0]}/log/"), reverse=True)[gone]]
        history, before = self.history(bucket), [self.base(number, at=BEGIN) for number in range(1, gone + 1)]
        with pytest.raises(RefusedError, match=f"lacks segment {gone + 1}"):
            history.reach(before)
        bases = [*before, self.base(gone + 1, at=BEGIN)]
        reach = history.reach(bases)
        assert reach.ends == whole.reach([]).ends
        with pytest.raises(RefusedError, match="out of reach"):
            history.base_for(reach.begins - 1, bases)
        for second in range(reach.begins, reach.ends + 1):
            assert history.base_for(second, bases) == bases[-1]
            held = self.content(history.log_files(second, tmp_path / f"{second}", after=gone + 1))
            assert gone + 1 + held == self.content(whole.log_files(second, tmp_path / f"{second}-whole"))

    def test_nothing_and_half_a_history_are_refused(self) -> None:
        log, bucket = self.made()
        with pytest.raises(RefusedError, match="neither its first"):
            self.history(bucket, IDS[1]).reach([])
        log.owners[0], log.groups[0] = None, binlog.transaction(1, "vivero_control")
        late = Bucket()
        follow(log, late)
        with pytest.raises(RefusedError, match="neither its first"):
            self.history(late).reach([])

    @pytest.mark.parametrize("first", ["CREATE TABLE t (x INT COMMENT 'CREATE DATABASE x')", None])
    def test_a_log_that_only_speaks_of_a_new_schema_does_not_begin_with_one(self, first: str | None) -> None:
        log, bucket = Log(), Bucket()
        schema = naming.database_name(IDS[0])
        change = (
            binlog.statement(1, first, schema) if first else binlog.transaction(1, schema, content=b"CREATE DATABASE ")
        )
        log.groups.append(change)
        log.owners.append(IDS[0])
        follow(log, bucket)
        with pytest.raises(RefusedError, match="neither its first"):
            self.history(bucket).reach([])


def test_a_group_is_dated_by_the_second_at_which_its_server_had_it() -> None:
    """However late it is read, and whatever its session says."""
    log, bucket = log_of(IDS[0]), Bucket()
    with closing(Archive(bucket.store, SERVER, lambda _: public_key(KEYS[IDS[0]]), lambda: log.now)) as archive:
        log.send(archive)
        log.now = BEGIN + 100.0
        archive.tick(log.tick())
        log.now = 1.0  # SET TIMESTAMP = 1
        log.add(IDS[0])
        log.now = BEGIN + 101.0
        archive.tick(log.tick())
        log.now = BEGIN + 109.0
        archive.tick(log.tick())
        for raw in log.groups[-1]:
            archive.take(raw)
        archive.store_due(everything=True)
    at = BEGIN + 101
    assert list(ReadableChain(bucket.store, IDS[0], KEYS[IDS[0]]).segments())[-1].span == Span("0-7-2", "0-7-2", at, at)
    assert archive.position.until == BEGIN + 109


def test_a_group_from_before_we_came_is_dated_by_its_statements() -> None:
    log, bucket = log_of(IDS[0], IDS[0]), Bucket()
    follow(log, bucket)
    log.add(IDS[0])
    written = int(log.now)
    log.now += 3600
    follow(log, bucket)
    chain = ReadableChain(bucket.store, IDS[0], KEYS[IDS[0]])
    assert list(chain.segments())[-1].span == Span("0-7-3", "0-7-3", written + 1, written + 1)


@pytest.mark.parametrize(("begun", "second"), [(10.9, 11), (11.2, 12), (1000.0, 12), (-1000.0, 11)])
def test_an_answer_that_is_late_leaves_it_to_the_statements(begun: float, second: int) -> None:
    """Between the answers of seconds 10 and 11, the later of which came at 11.4; whatever else its session says."""
    log, bucket = log_of(IDS[0]), Bucket()
    with closing(Archive(bucket.store, SERVER, lambda _: public_key(KEYS[IDS[0]]), lambda: log.now)) as archive:
        log.send(archive)
        log.now = BEGIN + 10.001
        archive.tick(log.tick())
        log.now = BEGIN + begun
        log.add(IDS[0])
        log.now = BEGIN + 11.4
        archive.tick(log.tick())
        for raw in log.groups[-1]:
            archive.take(raw)
        archive.store_due(everything=True)
    (*_, last) = ReadableChain(bucket.store, IDS[0], KEYS[IDS[0]]).segments()
    assert last.span.ends == BEGIN + second
    assert archive.position.until == BEGIN + 11


@pytest.mark.parametrize("content", [b"", b"{}\n", b'{"description": 9}\n123', b"x" * 5000, b"no json\n"])
def test_what_is_no_segment_is_told(content: bytes) -> None:
    with pytest.raises(StepFailedError):
        segments.read([content])


def test_a_segment_that_ends_within_a_group_is_told() -> None:
    _, groups = segments.read([b'{"description": 1}\nx{"gtid": "0-1-1", "at": 1, "bytes": 9}\nshort'])
    with pytest.raises(StepFailedError, match="ends within a group"):
        b"".join(next(groups).pieces)


def test_a_group_that_nobody_reads_is_passed_over() -> None:
    head = b'{"gtid": "0-1-%d", "at": 1, "bytes": 3}\n'
    _, groups = segments.read([b'{"description": 1}\nx', head % 1, b"one", head % 2, b"two"])
    first, second = groups
    assert (first.gtid, second.gtid, list(first.pieces)) == ("0-1-1", "0-1-2", [])
    with pytest.raises(StepFailedError, match="ends within a group"):
        list(segments.read([b'{"description": 1}\nx', head % 1, b"on"])[1])


def test_positions_that_cannot_be_read_are_told() -> None:
    bucket = Bucket()
    bucket.objects[f"servers/{SERVER}/position"] = (b'{"until": "x"}', {})
    with pytest.raises(StepFailedError, match="cannot be read"):
        Positions(bucket.store, SERVER).load()
