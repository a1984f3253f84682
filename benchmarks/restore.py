r"""How long a tenant takes to come back at a chosen second, as a new tenant: of so many megabytes that stand in the log alone.

    ./vivero up --pool 0 --undo-days 0 && ./vivero status --json > status.json
    PYTHONPATH=core:operator:dev python benchmarks/restore.py --status status.json --megabytes 100

The demo tenant gets a table of rows of a thousand letters each, in transactions of 5,000 rows. A TenantRestore then brings the
second after the last of them back, without a backup of it as a base: all of it is replayed, dumped, loaded and compared.
Seconds are from the object's creation to the condition Complete; those of each step are what its status says. What was made
is removed again.
"""

import argparse
import asyncio
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from archive import connected
from figures import machine, print_table, read_status
from vivero_core.backends.kube.client import KubeClient, Object
from vivero_core.backends.kube.config import from_kubeconfig
from vivero_core.backends.kube.resources import TENANT, of_model
from vivero_core.model import naming
from vivero_core.model.constants import API_VERSION
from vivero_core.model.tenant_restore import TenantRestore

ROW, BATCH = 1000, 5000
TABLE = "benchmark_rows"
RESTORE_SECONDS = 900.0
GOAL_MEGABYTES, GOAL_SECONDS = 100, 60.0
RESTORE = of_model(TenantRestore)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--status", type=Path, required=True)
    parser.add_argument("--megabytes", type=int, default=GOAL_MEGABYTES)
    options = parser.parse_args()
    status = read_status(options.status)
    name = f"bench-{secrets.token_hex(3)}"
    async with KubeClient(from_kubeconfig(Path(status["kubeconfig"])), field_manager="vivero-benchmark") as kube:
        demo = await kube.get(TENANT, status["demo_tenant"]["name"])
        schema = naming.database_name(demo["status"]["id"])
        with connected(status) as connection, connection.cursor() as cursor:
            connection.select_db(schema)
            connection.autocommit(False)  # noqa: FBT003  pymysql's
            try:
                await asyncio.to_thread(fill, cursor, options.megabytes)
                until = datetime.now(UTC).replace(microsecond=0)
                await asyncio.sleep(2)
                seconds, done = await restore(kube, demo["metadata"]["name"], name, until)
            finally:
                cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")
        await kube.patch(TENANT, name, {"spec": {"deletionPolicy": "Delete"}})
        await kube.delete(TENANT, name, uid=(await kube.get(TENANT, name))["metadata"]["uid"])
        await kube.delete(RESTORE, name, uid=done["metadata"]["uid"])
    print(machine())
    rows = [(f"{options.megabytes} MB, from the order to Ready", f"{seconds:.0f}"), *map(step, done["status"]["steps"])]
    print_table(("", "s"), rows)
    if options.megabytes == GOAL_MEGABYTES:
        print(f"goal: at most {GOAL_SECONDS:.0f} s: {'met' if seconds <= GOAL_SECONDS else 'MISSED'}")


def fill(cursor: Any, megabytes: int) -> None:  # noqa: ANN401  pymysql's
    """Rows of letters that hardly pack."""
    cursor.execute(f"CREATE TABLE {TABLE} (id BIGINT AUTO_INCREMENT PRIMARY KEY, text VARCHAR({ROW}) NOT NULL)")
    for _ in range(megabytes * 1_000_000 // ROW // BATCH):
        rows = [(secrets.token_hex(ROW // 2),) for _ in range(BATCH)]
        cursor.executemany(f"INSERT INTO {TABLE} (text) VALUES (%s)", rows)  # noqa: S608  our own name
        cursor.connection.commit()


async def restore(kube: KubeClient, tenant: str, name: str, until: datetime) -> tuple[float, Object]:
    """Seconds until it is complete, and the object."""
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


def step(told: dict[str, str]) -> tuple[str, str]:
    begin, end = (datetime.fromisoformat(told[key]) for key in ("startedAt", "finishedAt"))
    return f"step {told['name']}", f"{(end - begin).total_seconds():.0f}"


if __name__ == "__main__":
    asyncio.run(main())
