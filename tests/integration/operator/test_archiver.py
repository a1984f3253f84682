"""The archiver beside a real server and the real object store: killed at random, and every second can be gone back to."""

import logging
import multiprocessing
import os
import random
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import groupby
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import Any

import pytest
from integration.conftest import Login
from integration.operator.archive_rig import LOGIN, WAIT_SECONDS, Crash, Moment, Rig, archived, base_of, seeded
from integration.operator.binlog_source import Tenant
from integration.operator.test_replay import Told
from vivero_core.model import naming
from vivero_operator.archiver.events import EventReader
from vivero_operator.archiver.groups import Splitter
from vivero_operator.archiver.replication import Source, Stream
from vivero_operator.operations.errors import RefusedError
from vivero_operator.operations.history import History, Reach
from vivero_operator.operations.orders import Account

ROW_BYTES = 60_000_000
HELD_BYTES = 8 * 1024 * 1024
"""Of the log at a time, however large a transaction is."""
logger = logging.getLogger(__name__)
TARGETS, RESTORABLE, WHOLE_RESTORES = 1000, 900, 20


@pytest.fixture
def rig(tmp_path: Path, platform: dict[str, Any], in_a_job: None) -> Iterator[Rig]:  # noqa: ARG001
    with archived(tmp_path, platform) as rig:
        yield rig


def unlike(rig: Rig, tenant: Tenant, second: int, found: Told) -> list[str]:
    """What is wrong with what was found, if it is not what the tenant held then."""
    if found == rig.states[tenant, second]:
        return []
    like = [at for (whose, at), state in rig.states.items() if whose == tenant and state == found]
    return [f"second {second} of {tenant.id} is as it was in {like}"]


def check_walk(rig: Rig, moments: Iterable[Moment]) -> None:
    """Each second by the log between it and the one before."""
    wrong, seen = list[str](), set[Moment]()
    for tenant, of_tenant in groupby(sorted(moments, key=str), lambda one: one[0]):
        seconds = [second for _, second in of_tenant]
        for second, told in rig.walked(tenant, seconds, rig.folder / f"walk-{tenant.id}"):
            wrong += unlike(rig, tenant, second, told)
            seen.add((tenant, second))
    assert seen == set(moments)
    assert not wrong


def check_restores(rig: Rig, moments: Iterable[Moment]) -> None:
    """Each second by a restore of its own."""
    wrong = list[str]()
    for number, (tenant, second) in enumerate(moments):
        wrong += unlike(rig, tenant, second, rig.restored(tenant, second, rig.folder / f"restored-{number}"))
    assert not wrong


def test_every_second_of_every_tenant_is_exact(rig: Rig) -> None:
    rig.write(9, seeded(1), {2: Crash.ARCHIVER, 4: Crash.SERVER, 6: Crash.ARCHIVER})
    rig.wait_until_archived(int(time.time()) + 1)
    check_walk(rig, rig.states)
    check_restores(rig, seeded(2).sample(sorted(rig.states, key=str), 3))


@pytest.mark.full
def test_a_thousand_random_moments(rig: Rig, new_tenant: Callable[[], Login], platform: dict[str, Any]) -> None:
    """Of a run of minutes, with a gap in its log, and two bases behind that: each is exact, or refused where it has to be."""
    chance, storage = seeded(3), bucket_of(new_tenant(), platform)
    rig.write(20, chance, {10: Crash.ARCHIVER})
    make_gap(rig)
    for tenant in rig.tenants:
        rig.back_up(tenant, "first", storage)
    crashes = 0
    while len(rig.states) < RESTORABLE:
        due = dict.fromkeys(chance.sample(range(40), 3), Crash.ARCHIVER) | {chance.randrange(40): Crash.SERVER}
        rig.write(40, chance, due)
        crashes += len(due)
        if rig.written == 220:
            for tenant in rig.tenants:
                rig.back_up(tenant, "second", storage)
    rig.wait_until_archived(int(time.time()) + 1)
    rig.kill()  # what is refused now, is not archived meanwhile
    exact, refused = targets(rig, chance)
    for number, (tenant, second) in enumerate(refused):
        with pytest.raises(RefusedError, match="out of reach"):
            base_of(rig.replayed(tenant, rig.folder / f"refused-{number}"), second)
    check_restores(rig, chance.sample(exact, WHOLE_RESTORES))
    check_walk(rig, exact)
    logger.info("targets: %d exact, %d refused; crashes: %d", len(exact), len(refused), crashes)


def targets(rig: Rig, chance: random.Random) -> tuple[list[Moment], list[Moment]]:
    """A thousand: those that have to be exact, and those that have to be refused."""
    begins = {one: min(base.ready_at for base in rig.replayed(one, rig.folder / one.id).bases()) for one in rig.tenants}
    known = [(tenant, second) for tenant, second in rig.states if second >= begins[tenant]]
    exact = chance.sample(sorted(known, key=str), min(RESTORABLE, len(known)))
    last = rig.archived(rig.tenants[0])
    outside = [*range(min(begins.values()) - 60, min(begins.values())), *range(last + 60, last + 120)]
    return exact, [(chance.choice(rig.tenants), chance.choice(outside)) for _ in range(TARGETS - len(exact))]


def test_a_large_transaction_takes_no_memory(rig: Rig) -> None:
    """It goes through the archiver and through a restore in pieces."""
    tenant = rig.tenants[0]
    rig.server.run("CREATE TABLE t (id INT PRIMARY KEY, content BLOB)", schema=tenant.data)
    rig.wait_until_archived(int(time.time()) + 1)
    before = peak(rig.process.pid)
    # What no packer makes smaller: all of it is sealed and stored, too.
    rig.server.run("INSERT INTO t SELECT seq, RANDOM_BYTES(300) FROM seq_1_to_200000", schema=tenant.data)
    rig.wait_until_archived(int(time.time()) + 1)
    assert peak(rig.process.pid) - before < HELD_BYTES
    queue = multiprocessing.get_context("spawn").SimpleQueue()
    child = multiprocessing.get_context("spawn").Process(
        target=write_log, args=(rig.history_of(tenant), rig.folder / "logs", queue)
    )
    child.start()
    child.join(WAIT_SECONDS)
    size, grown = queue.get()
    assert size > 200_000 * 300
    assert grown < HELD_BYTES


def test_a_large_row_takes_no_memory(rig: Rig) -> None:
    """An event cannot be cut: it is in a file from the connection to the group, and none of its copies is in memory."""
    tenant, environment = rig.tenants[0], rig.environment
    rig.kill()
    rig.server.run("CREATE TABLE t (id INT PRIMARY KEY, content LONGBLOB)", schema=tenant.data)
    source = Source(
        host=environment["VIVERO_SERVER_HOST"],
        port=int(environment["VIVERO_SERVER_PORT"]),
        user=LOGIN["username"],
        password=LOGIN["password"],
        authority=rig.authority.read_text(),
        server_id=(1 << 31) + 1,
    )
    reader, splitter = EventReader(), Splitter(naming.tenant_of_database)
    size, sizes, held = 0, list[int](), 0
    with Stream(source) as stream:
        rig.server.run("INSERT INTO t VALUES (1, REPEAT(RANDOM_BYTES(1000), 60000))", schema=tenant.data)
        tracemalloc.start()
        try:
            for raw in stream.events(""):
                group = splitter.feed(reader.read(raw), int(time.time()) + 1)
                if group is None:
                    continue
                with closing(group):
                    if group.size < ROW_BYTES:
                        continue
                    held, size = tracemalloc.get_traced_memory()[1], group.size
                    sizes = [len(event) for event in group.events()]
                    break
        finally:
            tracemalloc.stop()
    logger.info("held for a row of %d bytes: %d", ROW_BYTES, held)
    assert held < HELD_BYTES
    assert (sum(sizes), max(sizes) > ROW_BYTES) == (size, True)


def peak(pid: int) -> int:
    """The most memory that a process has ever held, in bytes; not `ru_maxrss`, which begins with what its parent had."""
    (line,) = (one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def write_log(open_history: Callable[[], History], folder: Path, told: "SimpleQueue[tuple[int, int]]") -> None:
    """In a process of its own: the log as a restore writes it for its server; bytes, and how many more it held meanwhile."""
    history = open_history()
    until, before = history.reach([]).ends, peak(os.getpid())
    files = history.log_files(until, folder)
    told.put((sum(file.stat().st_size for file in files), peak(os.getpid()) - before))


def test_what_a_server_no_longer_has_is_a_gap_that_is_told(rig: Rig) -> None:
    rig.write(2, seeded(4), {})
    begin = make_gap(rig)
    after = rig.history(rig.tenants[0]).reach([]).ends <= begin.ends + 1
    assert after, "what is behind a gap is not reached from before it"
    rig.server.run("DELETE FROM t", schema=rig.tenants[0].data)
    rig.wait_until_archived(int(time.time()) + 1)  # and it goes on
    with pytest.raises(RefusedError):
        rig.history(Tenant("zzzzzzzzzz")).reach([])


def make_gap(rig: Rig) -> Reach:
    """A part of the log goes while no archiver runs, and the next one has noted it; what could be restored before."""
    rig.wait_until_archived(int(time.time()))
    rig.kill()
    begin = rig.history(rig.tenants[0]).reach([])
    rig.server.run("FLUSH BINARY LOGS")
    rig.server.run(f"INSERT INTO {rig.tenants[0].data}.t (id, text) VALUES (1, 'in the gap')")  # noqa: S608  our name
    rig.server.run("FLUSH BINARY LOGS")
    ((last, *_),) = rig.server.run("SHOW MASTER STATUS")
    time.sleep(1)
    rig.server.run(f"PURGE BINARY LOGS TO '{last}'")
    rig.start()
    deadline = time.monotonic() + WAIT_SECONDS
    while not rig.store.list(f"servers/{rig.environment['VIVERO_SERVER_UID']}/gaps/"):
        assert time.monotonic() < deadline, "no gap was noted"
        time.sleep(0.2)
    return begin


def bucket_of(login: Login, platform: dict[str, Any]) -> Account:
    """For files of a tenant that has none."""
    at = platform["backup"]
    return Account(at["endpoint"], "us-east-1", login.bucket, login.account.name, login.account.secret)
