r"""What archiving the binary log costs, and how far behind it is, at 100 commits a second on one server.

    ./vivero up --pool 0 && ./vivero status --json > status.json
    PYTHONPATH=core:operator:dev python benchmarks/archive.py --status status.json

Ten schemas named like tenants' get a row each in turn, 100 a second, for 20 seconds at a time: three times without and three
times with an archiver of the benchmark's own beside the server, in a process of its own, in the order without, with, with,
without, without, with. The platform's own archiver follows the log all the time. A commit is timed from its statement to its
answer. It is in the bucket when the archiver, which says so as soon as the object store has answered, has stored the segment
that holds its GTID; at the end the segments are looked for in the bucket.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pymysql
from figures import arguments, machine, percentile, print_table, read_status, summary
from vivero_core.envelope import public_key
from vivero_core.model import naming
from vivero_operator.archiver.chain import Chain
from vivero_operator.archiver.position import sequence
from vivero_operator.operations.object_store import ObjectStore
from vivero_operator.operations.orders import Account

PER_SECOND = 100
SECONDS = 20
ROUNDS = (False, True, True, False, False, True)
"""Whether an archiver follows, by round."""
WARM_SECONDS, STORED_SECONDS = 5, 60
GOALS = {"recovery point, s": 5.0, "resident, MiB": 40.0, "of a processor, %": 5.0}
TENANTS = tuple(naming.tenant_id(f"benchmark {number} {os.getpid()}") for number in range(10))
STORED = re.compile(r"of tenant (\w+) stored, \S+ to (\S+)")


# The program without its metrics' server, whose port may be in use here.
FOLLOW = """
import logging, os, sys
from pathlib import Path
from vivero_operator.archiver.__main__ import Archiver
logging.basicConfig(level=logging.INFO)
Archiver(Path(sys.argv[1]) / "files", Path(sys.argv[1]) / "keys", dict(os.environ)).run()
"""


@dataclass(frozen=True)
class Commit:
    """One of the benchmark's."""

    tenant: str
    gtid: str
    took: float
    """Seconds."""
    at: float
    """When it was answered, in Unix seconds."""


class Follower:
    """An archiver in a process like its pod's, which has loaded nothing of this benchmark, and what it has stored when."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603  our own words
            [sys.executable, "-c", FOLLOW, str(folder)],
            env=os.environ | environment | {"MALLOC_ARENA_MAX": "2"},
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None  # noqa: S101  it was asked for
        self._stored: list[tuple[str, int, float]] = []
        self._thread = threading.Thread(target=self._read, args=(self._process.stderr,))
        self._thread.start()
        time.sleep(WARM_SECONDS)
        self._begun = time.monotonic(), processor(self._process.pid)

    def _read(self, output: IO[str]) -> None:
        for line in output:
            if found := STORED.search(line):
                self._stored.append((found[1], sequence(found[2]), time.time()))

    def usage(self) -> tuple[float, float]:
        """Resident MiB, and percent of a processor since it was warm."""
        at, used = self._begun
        share = (processor(self._process.pid) - used) / (time.monotonic() - at)
        return resident(self._process.pid), 100 * share

    def behind(self, commits: Sequence[Commit]) -> list[float]:
        """How long after each of these commits it was in the bucket."""
        deadline = time.monotonic() + STORED_SECONDS
        while (found := [self._stored_after(one) for one in commits]) and None in found:
            if time.monotonic() > deadline:
                raise SystemExit("not every commit was archived")
            time.sleep(0.1)
        return [seconds for seconds in found if seconds is not None]

    def _stored_after(self, commit: Commit) -> float | None:
        number = sequence(commit.gtid)
        return next((at - commit.at for who, last, at in self._stored if who == commit.tenant and last >= number), None)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self._thread.join()


def main() -> None:
    status = read_status(arguments(__doc__ or "").status)
    took: dict[bool, list[list[float]]] = {False: [], True: []}
    behind, usage = [], []
    with tempfile.TemporaryDirectory() as name, connected(status) as connection, connection.cursor() as cursor:
        folder = Path(name)
        environment = prepare(folder, status)
        for tenant in TENANTS:
            schema = naming.database_name(tenant)
            cursor.execute(f"CREATE DATABASE {schema}")
            cursor.execute(f"CREATE TABLE {schema}.t (id BIGINT AUTO_INCREMENT PRIMARY KEY, text TEXT)")
        try:
            for with_it in ROUNDS:
                follower = Follower(folder, environment) if with_it else None
                done = commits(cursor)
                took[with_it].append([one.took for one in done])
                if follower is not None:
                    usage.append(follower.usage())
                    behind += follower.behind(done)
                    require_stored(ObjectStore(account(status), str(folder / "files" / "ca.crt")), done)
                    follower.stop()
        finally:
            for tenant in TENANTS:
                cursor.execute(f"DROP DATABASE {naming.database_name(tenant)}")
    report(took, behind, usage)


def report(took: dict[bool, list[list[float]]], behind: list[float], usage: list[tuple[float, float]]) -> None:
    print(machine())
    rows = []
    for label, share in (("p50", 0.5), ("p95", 0.95)):
        bare, beside = (statistics.median(percentile(one, share) for one in took[with_it]) for with_it in (False, True))
        rows.append([f"commit, {label}", f"{bare * 1000:.2f} ms", f"{beside * 1000:.2f} ms", f"{beside / bare:.2f}"])
    print_table(("", "without", "with the archiver", "ratio"), rows)
    measured = {"recovery point, s": behind}
    measured |= dict(zip(("resident, MiB", "of a processor, %"), map(list, zip(*usage, strict=True)), strict=True))
    rows = []
    for label, values in measured.items():
        found = summary(values)
        goal = f"at most {GOALS[label]:.0f}: {'met' if found['max'] <= GOALS[label] else '**missed**'}"
        rows.append([label, *(f"{found[which]:.1f}" for which in ("p50", "p95", "max")), goal])
    print_table(("archiver", "p50", "p95", "max", "goal"), rows)


def require_stored(store: ObjectStore, done: Sequence[Commit]) -> None:
    """By the bucket itself, to the last commit of each tenant."""
    for one in done[-len(TENANTS) :]:
        head = Chain(store, one.tenant).head()
        if head is None or sequence(head.span.last) < sequence(one.gtid):
            raise SystemExit(f"the bucket lacks {one.gtid}")


def commits(cursor: Any) -> list[Commit]:  # noqa: ANN401  pymysql's
    """One at a time at a steady pace."""
    done, begin = [], time.monotonic()
    for number in range(PER_SECOND * SECONDS):
        time.sleep(max(0.0, begin + number / PER_SECOND - time.monotonic()))
        tenant = TENANTS[number % len(TENANTS)]
        since = time.perf_counter()
        cursor.execute(f"INSERT INTO {naming.database_name(tenant)}.t (text) VALUES (REPEAT('x', 500))")  # noqa: S608  our name
        took, at = time.perf_counter() - since, time.time()
        cursor.execute("SELECT @@last_gtid")
        done.append(Commit(tenant, str(cursor.fetchone()[0]), took, at))
    return done


def prepare(folder: Path, status: dict[str, Any]) -> dict[str, str]:
    """The files that the operator mounts into the archiver's pod, and its variables."""
    maria = status["mariadb"]
    for place in ("files/login", "files/backup", "keys"):
        (folder / place).mkdir(parents=True)
    for name, value in vars(account(status)).items():
        (folder / "files/backup" / name).write_text(value)
    (folder / "files/login/username").write_text(maria["admin_user"])
    (folder / "files/login/password").write_text(maria["admin_password"])
    (folder / "files/ca.crt").write_text(Path(status["backup"]["ca"]).read_text())
    (folder / "files/server-ca.crt").write_text(Path(maria["ca"]).read_text())
    for tenant in TENANTS:
        (folder / "keys" / tenant).write_text(public_key(bytes(32)).hex())
    return {
        "VIVERO_SERVER_UID": f"benchmark-{os.getpid()}",
        "VIVERO_SERVER_HOST": maria["host"],
        "VIVERO_SERVER_PORT": str(maria["port"]),
    }


def account(status: dict[str, Any]) -> Account:
    at = status["backup"]
    return Account(at["endpoint"], "us-east-1", at["bucket"], at["access_key"], at["secret_key"])


def connected(status: dict[str, Any]) -> "pymysql.connections.Connection[Any]":
    maria = status["mariadb"]
    return pymysql.connect(
        host=maria["host"],
        port=int(maria["port"]),
        user=maria["admin_user"],
        password=maria["admin_password"],
        ssl={"ca": maria["ca"]},
        autocommit=True,
    )


def processor(pid: int | None) -> float:
    """Seconds of processor time."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int | None) -> float:
    """MiB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    main()
