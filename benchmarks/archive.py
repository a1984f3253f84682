r"""What archiving the binary log costs, and how far behind it is, at 100 commits a second on one server.

    ./vivero up --pool 0 && ./vivero status --json > status.json
    PYTHONPATH=core:operator:dev python benchmarks/archive.py --status status.json

Ten schemas named like tenants' get a row each in turn, 100 a second, for 20 seconds: in turn without and with an archiver of
the benchmark's own beside the server, in a process of its own; the platform's archiver follows the log all the time. A
commit is timed from its statement to its answer. What is archived is read from the bucket twice a second.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import pymysql
from figures import arguments, machine, percentile, print_table, read_status
from vivero_core.envelope import public_key
from vivero_core.model import naming
from vivero_operator.archiver.position import Positions
from vivero_operator.operations.backup_order import Account
from vivero_operator.operations.object_store import ObjectStore

PER_SECOND = 100
SECONDS = 20
ROUNDS = 3
WARM_SECONDS = 5
TENANTS = tuple(naming.tenant_id(f"benchmark {number} {os.getpid()}") for number in range(10))


# The program without its metrics' server, whose port may be in use here.
FOLLOW = """
import os, sys
from pathlib import Path
from vivero_operator.archiver.__main__ import Archiver
Archiver(Path(sys.argv[1]) / "files", Path(sys.argv[1]) / "keys", dict(os.environ)).run()
"""


def follow(folder: Path, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    """Start an archiver in a process that has loaded nothing of this benchmark."""
    return subprocess.Popen([sys.executable, "-c", FOLLOW, str(folder)], env=os.environ | environment)  # noqa: S603  our own words


def main() -> None:
    status = read_status(arguments(__doc__ or "").status)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = prepare(folder, status)
        rounds: dict[bool, list[list[float]]] = {False: [], True: []}
        behind, sizes, shares = [], [], []
        with connected(status) as connection, connection.cursor() as cursor:
            for tenant in TENANTS:
                schema = naming.database_name(tenant)
                cursor.execute(f"CREATE DATABASE {schema}")
                cursor.execute(f"CREATE TABLE {schema}.t (id BIGINT AUTO_INCREMENT PRIMARY KEY, text TEXT)")
            try:
                for _ in range(ROUNDS):
                    rounds[False].append(commits(cursor))
                    archiver = follow(folder, environment)
                    time.sleep(WARM_SECONDS)
                    used, begun = processor(archiver.pid), time.monotonic()
                    watch = Watch(folder, environment, status)
                    rounds[True].append(commits(cursor))
                    behind += watch.stop()
                    shares.append((processor(archiver.pid) - used) / (time.monotonic() - begun))
                    sizes.append(resident(archiver.pid))
                    archiver.kill()
                    archiver.wait()
            finally:
                for tenant in TENANTS:
                    cursor.execute(f"DROP DATABASE {naming.database_name(tenant)}")
    print(machine())
    rows = []
    for label, share in (("p50", 0.5), ("p95", 0.95)):
        bare, beside = (
            statistics.median(percentile(one, share) for one in rounds[with_it]) for with_it in (False, True)
        )
        rows.append([f"commit, {label}", f"{bare * 1000:.2f} ms", f"{beside * 1000:.2f} ms", f"{beside / bare:.2f}"])
    print_table(("", "without", "with the archiver", "ratio"), rows)
    print_table(
        ("archiver", "p50", "max"),
        [
            ["behind, s", f"{statistics.median(behind):.1f}", f"{max(behind):.1f}"],
            ["resident, MiB", f"{statistics.median(sizes):.0f}", f"{max(sizes):.0f}"],
            ["of a processor", f"{statistics.median(shares):.1%}", f"{max(shares):.1%}"],
        ],
    )


class Watch:
    """How far the bucket is behind the present, twice a second."""

    def __init__(self, folder: Path, environment: dict[str, str], status: dict[str, Any]) -> None:
        store = ObjectStore(account(status), str(folder / "files" / "ca.crt"))
        self._positions = Positions(store, environment["VIVERO_SERVER_UID"])
        self._found: list[float] = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> list[float]:
        self._done.set()
        self._thread.join()
        return self._found

    def _run(self) -> None:
        while not self._done.wait(0.5):
            self._found.append(time.time() - self._positions.load().until)


def commits(cursor: Any) -> list[float]:  # noqa: ANN401  pymysql's
    """Seconds that each commit took, one at a time at a steady pace."""
    took, begin = [], time.monotonic()
    for number in range(PER_SECOND * SECONDS):
        time.sleep(max(0.0, begin + number / PER_SECOND - time.monotonic()))
        schema = naming.database_name(TENANTS[number % len(TENANTS)])
        at = time.perf_counter()
        cursor.execute(f"INSERT INTO {schema}.t (text) VALUES (REPEAT('x', 500))")  # noqa: S608  our name
        took.append(time.perf_counter() - at)
    return took


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
