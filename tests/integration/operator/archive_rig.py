"""A MariaDB of a test's own with an archiver beside it, which stores in the real object store; and what was written when.

Writes are made in the middle of seconds, so that every second has one state; what a tenant held then is compared with what
its archived log brings back in a server of its own.
"""

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import pymysql
from integration.operator.binlog_source import Source, Tenant, provision
from integration.operator.test_replay import Told, of_scratch, of_source
from support.own_services import own_mariadb
from vivero_core.envelope import public_key
from vivero_core.model import naming
from vivero_dev.backing import mariadb
from vivero_dev.certificates import Authority
from vivero_operator.archiver.__main__ import Archiver
from vivero_operator.archiver.chain import Segment
from vivero_operator.archiver.position import Positions, sequence
from vivero_operator.archiver.segments import Logged
from vivero_operator.operations import backup
from vivero_operator.operations.errors import RefusedError
from vivero_operator.operations.history import Base, History
from vivero_operator.operations.object_store import ObjectStore
from vivero_operator.operations.orders import CLIENT_FILE, ORDER_FILE, Account, BackupOrder
from vivero_operator.operations.program import Files
from vivero_operator.operations.replayed import Replayed

KEY = bytes(range(32))
LOGIN = {"username": "archiver", "password": "archiver-password"}
WAIT_SECONDS = 60
IMPORT_ROWS = 5000
"""Of one transaction of an import."""
IMPORTS = 0.06
"""Of all changes."""
Moment = tuple[Tenant, int]


class Crash(Enum):
    """What ends without a warning, and starts again."""

    ARCHIVER = "archiver"
    SERVER = "server"


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
    bucket: tuple[Account, str]
    """The backup bucket's account, and the file with its server's authority."""
    store: ObjectStore
    tenants: tuple[Tenant, ...]
    authority: Path
    """Of the server."""
    port: int
    states: dict[Moment, Told] = field(default_factory=dict)
    written: int = 0
    """How many seconds had changes."""
    process: Any = None

    def start(self) -> None:
        self.process = multiprocessing.get_context("spawn").Process(target=follow, args=(self.folder, self.environment))
        self.process.start()

    def kill(self) -> None:
        """No error if it is gone already."""
        self.process.kill()
        self.process.join(WAIT_SECONDS)

    def history(self, tenant: Tenant) -> History:
        return History(self.store, tenant.id, self.environment["VIVERO_SERVER_UID"], KEY)

    def history_of(self, tenant: Tenant) -> Callable[[], History]:
        """The same in another process."""
        return partial(_history, self.bucket, tenant.id, self.environment["VIVERO_SERVER_UID"])

    def wait_until_archived(self, until: int) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while min(map(self.archived, self.tenants)) < until:
            assert time.monotonic() < deadline, "the archiver does not come along"
            time.sleep(0.2)

    def archived(self, tenant: Tenant) -> int:
        """Up to which second; 0 before anything is."""
        position = Positions(self.store, self.environment["VIVERO_SERVER_UID"]).load()
        return min(position.until, position.waiting.get(tenant.id, position.until))

    def write(self, seconds: int, chance: random.Random, crashes: Mapping[int, Crash]) -> None:
        """Changes of each tenant in the middle of seconds, and what each held at the end of them.

        `crashes`: what ends without a warning, by the number of the second; the server while each tenant imports.
        """
        for number in range(seconds):
            for tenant in self.tenants:
                self.server.run(*change(self.written, chance), schema=tenant.data)
            self.written += 1
            crash = crashes.get(number)
            if crash is Crash.ARCHIVER:
                self.kill()
                self.start()
            if crash is Crash.SERVER:
                self._crash_server(chance)
            second = int(time.time()) + 1
            self.states |= {(tenant, second): of_source(self.server, tenant) for tenant in self.tenants}
            time.sleep(max(0.0, second + 0.1 - time.time()))

    def _crash_server(self, chance: random.Random) -> None:
        """Some imports are committed by then, some are not, and one may be half in the log."""
        with ThreadPoolExecutor(len(self.tenants)) as threads:
            imports = [threads.submit(self.server.run, *import_(chance), schema=one.data) for one in self.tenants]
            time.sleep(chance.uniform(0, 0.5))
            self.server.crash()
        for one in imports:
            failed = one.exception()
            assert failed is None or isinstance(failed, pymysql.MySQLError), failed

    def back_up(self, tenant: Tenant, uid: str, storage: Account) -> None:
        """By the program of a TenantBackup; `storage`: a bucket for the tenant's files."""
        files, user = self.folder / "files", naming.database_users(tenant.id)[0]
        (files / CLIENT_FILE).write_text(f'[client]\nsocket="{self.server.socket}"\nuser="{user}"\n')
        order = BackupOrder(tenant.id, uid, tenant.schemas, True, storage, KEY.hex())  # noqa: FBT003  logged
        (files / ORDER_FILE).write_text(order.dump())
        backup.copy_files(Files(files))
        backup.dump(Files(files))
        backup.verify(Files(files))

    def replayed(self, tenant: Tenant, folder: Path) -> Replayed:
        """Where a restore of the tenant begins."""
        folder.mkdir()
        return Replayed(self.store, tenant.id, self.environment["VIVERO_SERVER_UID"], KEY.hex(), folder)

    def restored(self, tenant: Tenant, second: int, folder: Path) -> Told:
        """What a restore to this second brings back."""
        replayed = self.replayed(tenant, folder)
        base = base_of(replayed, second)
        with replayed.server.running():
            replayed.replay(base, tenant.schemas, partial(replayed.history.log_files, second))
            return of_scratch(replayed.server, tenant)

    def walked(self, tenant: Tenant, seconds: Iterable[int], folder: Path) -> Iterator[tuple[int, Told]]:
        """The same of many seconds, in their order: of one base in one server, each onto what the one before has left."""
        replayed = self.replayed(tenant, folder)
        bases = replayed.bases()
        history = Remembered(self.store, tenant.id, self.environment["VIVERO_SERVER_UID"], KEY)
        for base, of_base in groupby(seconds, lambda second: history.base_for(second, bases)):
            with replayed.server.running():
                before = 0
                for second in of_base:
                    files = partial(history.log_files, second)
                    if before:
                        last = history.last_until(before)
                        replayed.server.replay(files(folder / str(second), after=last), tenant.schemas)
                    else:
                        replayed.replay(base, tenant.schemas, files)
                    before = second
                    yield second, of_scratch(replayed.server, tenant)
            replayed.throw_away()


class Remembered(History):
    """Reads, opens and unpacks each segment once, for many walks through the log."""

    def __init__(self, *told: Any) -> None:  # noqa: ANN401  as it is
        super().__init__(*told)
        self._known: dict[int, tuple[bytes, list[tuple[str, int, bytes]]]] = {}

    def last_until(self, second: int) -> int:
        """The number of the last transaction that was committed until then."""
        return max(sequence(one.gtid) for _, groups in self._segments() for one in groups if one.at <= second)

    def _read(self, segment: Segment) -> tuple[bytes, Iterator[Logged]]:
        if segment.number not in self._known:
            description, groups = super()._read(segment)
            self._known[segment.number] = description, [(one.gtid, one.at, b"".join(one.pieces)) for one in groups]
        description, known = self._known[segment.number]
        return description, (Logged(gtid, at, len(raw), iter([raw])) for gtid, at, raw in known)


def _history(bucket: tuple[Account, str], tenant: str, server: str) -> History:
    return History(ObjectStore(*bucket), tenant, server, KEY)


def base_of(replayed: Replayed, second: int) -> Base | None:
    """What a restore to this second begins with. Raises RefusedError when it cannot be restored."""
    bases = replayed.bases()
    if second not in (reach := replayed.history.reach(bases)):
        raise RefusedError(f"out of reach; what can be restored: {reach}")
    return replayed.history.base_for(second, bases)


class LooksOnce(ObjectStore):
    """Asks for what is known of each object once: no segment ever changes, and a thousand restores look at them all."""

    def __init__(self, account: Account, authority: str) -> None:
        super().__init__(account, authority)
        self._metadata: dict[str, dict[str, str]] = {}

    def metadata(self, key: str) -> dict[str, str]:
        if key not in self._metadata:
            self._metadata[key] = super().metadata(key)
        return self._metadata[key]


def rows(chance: random.Random, count: int) -> str:
    """A statement that adds some."""
    values = ", ".join(f"({chance.getrandbits(40)}, '{chance.randbytes(20).hex()} 🌱')" for _ in range(count))
    return f"INSERT IGNORE INTO t (id, text) VALUES {values}"  # noqa: S608  numbers and hexadecimal digits


def import_(chance: random.Random) -> list[str]:
    """As a workspace does it: so many rows a transaction. Its server will not end it."""
    batches = [["BEGIN", rows(chance, IMPORT_ROWS), "COMMIT"] for _ in range(2)]
    return [*batches[0], "ALTER TABLE t ADD COLUMN IF NOT EXISTS c_9 INT", *batches[1]]


def change(number: int, chance: random.Random) -> list[str]:
    """Statements of one second: rows one by one and by the thousand, DDL, an audit entry in the same transaction."""
    data = rows(chance, IMPORT_ROWS if chance.random() < IMPORTS else chance.choice([1, 1, 3, 200]))
    if number == 0:
        return ["CREATE TABLE t (id BIGINT PRIMARY KEY, text TEXT, KEY (text(10)))", data]
    some = number % 5
    ddl = chance.choice(
        [
            f"ALTER TABLE t ADD COLUMN IF NOT EXISTS c_{some} INT DEFAULT {number}",
            f"ALTER TABLE t DROP COLUMN IF EXISTS c_{some}",
            f"ALTER TABLE t MODIFY text {chance.choice(['TEXT', 'MEDIUMTEXT'])} COMMENT '{number}'",
            f"CREATE OR REPLACE TABLE more_{some} AS SELECT id FROM t LIMIT 5",  # noqa: S608  a number
            f"DROP TABLE IF EXISTS more_{some}, more_{some + 1}",
            "RENAME TABLE t TO u, u TO t",
            "OPTIMIZE TABLE t",
            "DO 1",
        ]
    )
    # As much goes as comes, so that a long run has time to look at its tables.
    gone = IMPORT_ROWS if chance.random() < 2 * IMPORTS else 1
    return [
        "BEGIN",
        data,
        f"DELETE FROM t ORDER BY id LIMIT {gone}",  # noqa: S608  a number
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
        bucket = Account(**account), str(at["ca"])
        rig = Rig(
            tmp_path,
            server,
            environment,
            bucket,
            LooksOnce(*bucket),
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
