"""The archiver beside a real server and the real object store: killed at random, and every second can be gone back to.

Writes are made in the middle of seconds, so that every second has one state; what a tenant held then is compared with what
its archived log brings back in a server of its own.
"""

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from integration.operator.binlog_source import Source, Tenant, provision
from integration.operator.test_replay import Told, of_scratch, of_source
from support.own_services import own_mariadb
from vivero_core.envelope import public_key
from vivero_core.model import naming
from vivero_dev.backing import mariadb
from vivero_dev.certificates import Authority
from vivero_operator.archiver.__main__ import Archiver
from vivero_operator.operations.backup_order import Account
from vivero_operator.operations.errors import RefusedError
from vivero_operator.operations.history import History
from vivero_operator.operations.object_store import ObjectStore
from vivero_operator.operations.scratch_server import ScratchServer

KEY = bytes(range(32))
LOGIN = {"username": "archiver", "password": "archiver-password"}
WAIT_SECONDS = 60
Moment = tuple[Tenant, int]


def seeded(seed: int) -> random.Random:
    """The same changes in every run."""
    return random.Random(seed)  # noqa: S311  nobody has to guess


def follow(folder: Path, environment: dict[str, str]) -> None:
    """The archiver's program, in a process of its own."""
    archiver = Archiver(folder / "files", folder / "keys", environment)
    signal.signal(signal.SIGTERM, lambda *_: archiver.stopping.set())
    archiver.run()


@dataclass
class Rig:
    """A server, an archiver beside it, and what was written when."""

    folder: Path
    server: Source
    environment: dict[str, str]
    store: ObjectStore
    tenants: tuple[Tenant, ...]
    states: dict[Moment, Told] = field(default_factory=dict)
    process: Any = None

    def start(self) -> None:
        self.process = multiprocessing.get_context("spawn").Process(target=follow, args=(self.folder, self.environment))
        self.process.start()

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.join(WAIT_SECONDS)

    def history(self, tenant: Tenant) -> History:
        return History(self.store, tenant.id, self.environment["VIVERO_SERVER_UID"], KEY)

    def wait_until_archived(self, until: int) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while min(map(self.archived, self.tenants)) < until:
            assert time.monotonic() < deadline, "the archiver does not come along"
            time.sleep(0.2)

    def archived(self, tenant: Tenant) -> int:
        """Up to which second; 0 before anything is."""
        try:
            return self.history(tenant).reach([]).ends
        except RefusedError:
            return 0

    def write(self, seconds: int, chance: random.Random, kills: tuple[int, ...]) -> None:
        """A change of each tenant in every second; what each held at the end of those that left time enough to look."""
        for number in range(seconds):
            second = int(time.time()) + 1
            time.sleep(second + 0.1 - time.time())
            for tenant in self.tenants:
                self.server.run(*change(number, chance), schema=tenant.data)
            if number in kills:
                self.kill()
                self.start()
            if time.time() < second + 0.6:
                self.states |= {(tenant, second + 1): of_source(self.server, tenant) for tenant in self.tenants}

    def restored(self, tenant: Tenant, second: int, folder: Path) -> Told:
        folder.mkdir()
        scratch = ScratchServer(folder / "server")
        with scratch.running():
            scratch.replay(self.history(tenant).log_files(second, folder), tenant.schemas)
            return of_scratch(scratch, tenant)


def change(number: int, chance: random.Random) -> list[str]:
    """Statements of one second: rows one by one and by the thousand, DDL, an audit entry in the same transaction."""
    rows = ", ".join(
        f"({chance.getrandbits(40)}, '{chance.randbytes(20).hex()} 🌱')" for _ in range(chance.choice([1, 1, 3, 2000]))
    )
    data = f"INSERT IGNORE INTO t (id, text) VALUES {rows}"  # noqa: S608  numbers and hexadecimal digits
    if number == 0:
        return ["CREATE TABLE t (id BIGINT PRIMARY KEY, text TEXT, KEY (text(10)))", data]
    ddl = chance.choice(
        [
            f"ALTER TABLE t ADD COLUMN c_{number} INT DEFAULT {number}",
            f"CREATE TABLE more_{number} AS SELECT id FROM t LIMIT 5",  # noqa: S608  a number
            "RENAME TABLE t TO u, u TO t",
            "OPTIMIZE TABLE t",
            "DO 1",
        ]
    )
    return [
        "BEGIN",
        data,
        "DELETE FROM t ORDER BY id LIMIT 1",
        "COMMIT",
        ddl,
        "UPDATE t SET text = REVERSE(text) LIMIT 3",
    ]


@pytest.fixture
def rig(tmp_path: Path, platform: dict[str, Any]) -> Iterator[Rig]:
    at = platform["backup"]
    files, keys = tmp_path / "files", tmp_path / "keys"
    for place in (files / "login", files / "backup", keys):
        place.mkdir(parents=True)
    account = {name: at[name] for name in ("endpoint", "bucket", "access_key", "secret_key")} | {"region": "us-east-1"}
    written = {f"backup/{name}": value for name, value in account.items()} | {
        f"login/{name}": value for name, value in LOGIN.items()
    }
    authority = Authority(tmp_path / "authority")
    authority.issue("first", ["localhost"])  # makes the authority
    written |= {"ca.crt": Path(at["ca"]).read_text(), "server-ca.crt": authority.certificate.read_text()}
    for name, text in written.items():
        (files / name).write_text(text)
    tenants = tuple(Tenant(naming.tenant_id(os.urandom(8).hex())) for _ in range(3))
    for tenant in tenants:
        (keys / tenant.id).write_text(public_key(KEY).hex())
    options = tmp_path / "mariadb.cnf"
    options.write_text(
        "".join(line for line in mariadb.options("").splitlines(keepends=True) if not line.startswith("ssl_"))
    )
    (data := tmp_path / "mariadb").mkdir()
    with own_mariadb(data, options, authority) as running:
        server = Source(running, data)
        server.run(f"CREATE USER archiver IDENTIFIED BY '{LOGIN['password']}' REQUIRE SSL")
        server.run("GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO archiver")
        environment = {
            "VIVERO_SERVER_UID": f"test-{tenants[0].id}",
            "VIVERO_SERVER_HOST": "127.0.0.1",
            "VIVERO_SERVER_PORT": str(running.port),
        }
        rig = Rig(tmp_path, server, environment, ObjectStore(Account(**account), at["ca"]), tenants)
        rig.start()
        try:
            for tenant in tenants:
                provision(server, tenant)
            yield rig
        finally:
            rig.kill()


def check(rig: Rig, moments: list[Moment]) -> None:
    for number, (tenant, second) in enumerate(moments):
        found = rig.restored(tenant, second, rig.folder / f"restored-{number}")
        like = [at for (whose, at), state in rig.states.items() if whose == tenant and state == found]
        assert found == rig.states[tenant, second], f"second {second} of {tenant.id} is as it was in {like}"


def test_every_second_of_every_tenant_is_exact(rig: Rig) -> None:
    rig.write(12, seeded(1), kills=(3, 7))
    end = int(time.time()) + 1
    rig.wait_until_archived(end)
    assert rig.states, "too slow a machine to write within a second"
    check(rig, seeded(2).sample(sorted(rig.states, key=str), min(8, len(rig.states))))


@pytest.mark.full
def test_a_thousand_random_moments(rig: Rig) -> None:
    chance = seeded(3)
    rig.write(400, chance, kills=tuple(chance.sample(range(400), 20)))
    rig.wait_until_archived(int(time.time()) + 1)
    check(rig, chance.sample(sorted(rig.states, key=str), min(1000, len(rig.states))))


def test_what_a_server_no_longer_has_is_a_gap_that_is_told(rig: Rig) -> None:
    rig.write(2, seeded(4), kills=())
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
    after = gap_of(rig, lambda: rig.history(rig.tenants[0]).reach([]).ends <= begin.ends + 1)
    assert after, "what is behind a gap is not reached from before it"
    with pytest.raises(RefusedError):
        rig.history(Tenant("zzzzzzzzzz")).reach([])


def gap_of(rig: Rig, holds: Callable[[], bool]) -> bool:
    """Whether it holds once the archiver has noted a gap."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not rig.store.list(f"servers/{rig.environment['VIVERO_SERVER_UID']}/gaps/"):
        assert time.monotonic() < deadline, "no gap was noted"
        time.sleep(0.2)
    return holds()
