r"""How long a tenant takes to come back at a chosen second, as a new tenant: of so many megabytes that stand in the log alone.

    ./vivero up --pool 0 --undo-days 0 && ./vivero status --json > status.json
    PYTHONPATH=core:operator:dev python benchmarks/restore.py --status status.json --megabytes 100

The demo tenant gets a table of rows of a thousand letters each, in transactions of 5,000 rows. A TenantRestore then brings the
second after the last of them back, without a backup of it as a base: all of it is replayed, dumped, loaded and compared; once
while nobody else writes, and once while three other tenants on the same server write 100 rows a second in all, each a commit.
Seconds are from the object's creation to the condition Complete; those of each step are what its status says. The neighbours'
commits are timed for ten seconds before, and while the restore runs. What was made is removed again.
"""

import argparse
import asyncio
import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from archive import connected
from departures import until_none
from figures import machine, percentile, print_table, read_status
from vivero_core.backends.kube.client import KubeClient, Object
from vivero_core.backends.kube.config import from_kubeconfig
from vivero_core.backends.kube.resources import TENANT, of_model
from vivero_core.model import naming
from vivero_core.model.constants import API_VERSION, PLAN_TRIAL
from vivero_core.model.tenant_restore import TenantRestore

ROW, BATCH = 1000, 5000
TABLE = "benchmark_rows"
RESTORE_SECONDS = 900.0
NEIGHBOURS, PER_SECOND, BEFORE_SECONDS = 3, 100, 10.0
GOAL_MEGABYTES, GOAL_SECONDS = 100, 60.0
RESTORE = of_model(TenantRestore)
Restored = tuple[float, Object]
"""Seconds, and the TenantRestore."""


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--status", type=Path, required=True)
    parser.add_argument("--megabytes", type=int, default=GOAL_MEGABYTES)
    options = parser.parse_args()
    status = read_status(options.status)
    run = f"bench-{secrets.token_hex(3)}"
    async with KubeClient(from_kubeconfig(Path(status["kubeconfig"])), field_manager="vivero-benchmark") as kube:
        demo = await kube.get(TENANT, status["demo_tenant"]["name"])
        try:
            schemas = await neighbours(kube, run)
            with connected(status) as connection, connection.cursor() as cursor:
                connection.select_db(naming.database_name(demo["status"]["id"]))
                connection.autocommit(False)  # noqa: FBT003  pymysql's
                try:
                    await asyncio.to_thread(fill, cursor, options.megabytes)
                    until = datetime.now(UTC).replace(microsecond=0)
                    await asyncio.sleep(2)
                    idle = await restore(kube, demo["metadata"]["name"], f"{run}-idle", until)
                    with Writer(status, schemas) as writer:
                        await asyncio.sleep(BEFORE_SECONDS)
                        before = writer.taken()
                        busy = await restore(kube, demo["metadata"]["name"], f"{run}-busy", until)
                        during = writer.taken()
                finally:
                    cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")
        finally:
            await remove(kube, run)
    report(options.megabytes, idle, busy)
    print_table(
        ("neighbours' commits", "before the restore", "beside it"),
        [
            ("a second", f"{before.rate:.0f}", f"{during.rate:.0f}"),
            *(
                (label, *(f"{percentile(one.took, share) * 1000:.1f} ms" for one in (before, during)))
                for label, share in (("p50", 0.5), ("p95", 0.95))
            ),
        ],
    )


def report(megabytes: int, idle: Restored, busy: Restored) -> None:
    print(machine())
    rows = [(f"{megabytes} MB, from the order to Ready", idle[0], busy[0])]
    steps = zip(idle[1]["status"]["steps"], busy[1]["status"]["steps"], strict=True)
    rows += [(f"step {one['name']}", seconds(one), seconds(other)) for one, other in steps]
    shown = [(name, f"{one:.0f}", f"{other:.0f}", f"{other / one:.2f}" if one else "") for name, one, other in rows]
    print_table(("s", "neighbours idle", "neighbours busy", "ratio"), shown)
    if megabytes == GOAL_MEGABYTES:
        print(f"goal: at most {GOAL_SECONDS:.0f} s beside busy ones: {'met' if busy[0] <= GOAL_SECONDS else 'MISSED'}")


async def neighbours(kube: KubeClient, run: str) -> list[str]:
    """Tenants of the benchmark's own, whose log is archived like everybody's; their schemas."""
    names = [f"{run}-{number}" for number in range(NEIGHBOURS)]
    for name in names:
        spec = {"displayName": name, "slug": name, "plan": PLAN_TRIAL, "owner": {"email": "bench@example.com"}}
        spec |= {"deletionPolicy": "Delete"}
        await kube.create({"apiVersion": API_VERSION, "kind": "Tenant", "metadata": {"name": name}, "spec": spec})
    return [naming.database_name((await until_ready(kube, name))["status"]["id"]) for name in names]


async def until_ready(kube: KubeClient, name: str) -> Object:
    async with asyncio.timeout(RESTORE_SECONDS):
        while True:
            found = await kube.get(TENANT, name)
            if any(
                (one["type"], one["status"]) == ("Ready", "True")
                for one in found.get("status", {}).get("conditions", ())
            ):
                return found
            await asyncio.sleep(0.5)


async def remove(kube: KubeClient, run: str) -> None:
    """All that the run has made."""

    def mine(item: Object) -> bool:
        return bool(item["metadata"]["name"].startswith(run))

    for kind in (RESTORE, TENANT):
        for item in (await kube.list(kind)).items:
            if mine(item):
                if kind is TENANT:
                    await kube.patch(TENANT, item["metadata"]["name"], {"spec": {"deletionPolicy": "Delete"}})
                await kube.delete(kind, item["metadata"]["name"], uid=item["metadata"]["uid"])
    await until_none(kube, TENANT, mine)


@dataclass(frozen=True)
class Taken:
    """How long the commits of some seconds took."""

    took: list[float]
    passed: float

    @property
    def rate(self) -> float:
        return len(self.took) / self.passed


class Writer:
    """Commits rows at a steady pace, in each schema in turn, from a thread; a context manager."""

    def __init__(self, status: dict[str, Any], schemas: Sequence[str]) -> None:
        self._connection = connected(status)
        self._schemas = schemas
        self._took: list[float] = []
        self._since = time.monotonic()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        with self._connection.cursor() as cursor:
            for schema in self._schemas:
                cursor.execute(f"CREATE TABLE {schema}.{TABLE} (id BIGINT AUTO_INCREMENT PRIMARY KEY, text TEXT)")
        self._since = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        self._connection.close()

    def taken(self) -> Taken:
        """Since the last call."""
        (took, self._took), since = (self._took, []), self._since
        self._since = time.monotonic()
        return Taken(took, self._since - since)

    def _run(self) -> None:
        number = 0
        begin = time.monotonic()
        with self._connection.cursor() as cursor:
            while not self._stopping.wait(max(0.0, begin + number / PER_SECOND - time.monotonic())):
                schema = self._schemas[number % len(self._schemas)]
                since = time.perf_counter()
                cursor.execute(f"INSERT INTO {schema}.{TABLE} (text) VALUES (REPEAT('x', 500))")  # noqa: S608  our name
                self._took.append(time.perf_counter() - since)
                number += 1


def fill(cursor: Any, megabytes: int) -> None:  # noqa: ANN401  pymysql's
    """Rows of letters that hardly pack."""
    cursor.execute(f"CREATE TABLE {TABLE} (id BIGINT AUTO_INCREMENT PRIMARY KEY, text VARCHAR({ROW}) NOT NULL)")
    for _ in range(megabytes * 1_000_000 // ROW // BATCH):
        rows = [(secrets.token_hex(ROW // 2),) for _ in range(BATCH)]
        cursor.executemany(f"INSERT INTO {TABLE} (text) VALUES (%s)", rows)  # noqa: S608  our own name
        cursor.connection.commit()


async def restore(kube: KubeClient, tenant: str, name: str, until: datetime) -> Restored:
    """Until it is complete."""
    spec = {"tenant": tenant, "time": until.isoformat(), "target": {"tenant": name, "slug": name}}
    begun = time.monotonic()
    await kube.create({"apiVersion": API_VERSION, "kind": "TenantRestore", "metadata": {"name": name}, "spec": spec})
    async with asyncio.timeout(RESTORE_SECONDS):
        while True:
            found = await kube.get(RESTORE, name)
            conditions = {one["type"]: one for one in found.get("status", {}).get("conditions", ())}
            if conditions.get("Complete", {}).get("status") == "True":
                return time.monotonic() - begun, found
            if conditions.get("Complete", {}).get("reason") in {"Failed", "Refused"}:
                raise SystemExit(conditions["Complete"]["message"])
            await asyncio.sleep(0.5)


def seconds(step: dict[str, str]) -> float:
    begin, end = (datetime.fromisoformat(step[key]) for key in ("startedAt", "finishedAt"))
    return (end - begin).total_seconds()


if __name__ == "__main__":
    asyncio.run(main())
