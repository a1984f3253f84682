"""A MariaDB of a test's own with an archiver beside it, which stores in the real object store; and what was written when.

Writes are made in the middle of seconds, so that every second has one state; what a tenant held then is compared with what
its archived log brings back in a server of its own.
"""

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
    authority: Path
    """Of the server."""
    port: int
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
            scratch.replay(self.history(tenant).log_files(second, folder), naming.database_names(tenant.id))
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


@contextmanager
def archived(tmp_path: Path, platform: dict[str, Any]) -> Iterator[Rig]:
    """Three tenants without tables on it."""
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
        rig = Rig(
            tmp_path,
            server,
            environment,
            ObjectStore(Account(**account), at["ca"]),
            tenants,
            authority.certificate,
            running.port,
        )
        rig.start()
        try:
            for tenant in tenants:
                provision(server, tenant)
            yield rig
        finally:
            rig.kill()
