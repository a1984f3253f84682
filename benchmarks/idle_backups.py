r"""What a night's backup of 1,000 tenants costs that changed nothing: bytes in the backup bucket, and time.

    ./vivero up --pool 0 && ./vivero status --json > status.json
    PYTHONPATH=core:operator:dev python benchmarks/idle_backups.py --status status.json

Each tenant has a log in the platform's backup bucket, and a backup that holds all of it. How far the log of each is, is read
as the operator does when a backup is due, and that decides. Then one in a hundred changes something, and all are read again.
What is below the tenants' prefixes in the bucket is listed before and after.
"""

import os
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from archive import account, prepare
from figures import arguments, machine, percentile, print_table, read_status
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.s3.transport import Endpoint, Transport
from vivero_core.envelope import public_key
from vivero_core.model import naming
from vivero_operator.archiver.bucket import Bucket
from vivero_operator.archiver.chain import Chain, Span
from vivero_operator.archiver.head import read, unchanged
from vivero_operator.archiver.position import Position, Positions
from vivero_operator.operations.object_store import ObjectStore

TENANTS = tuple(naming.tenant_id(f"idle {number} {os.getpid()}") for number in range(1000))
CHANGED = TENANTS[::100]
TAKEN, DUE = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) - timedelta(minutes=1)
PUBLIC = public_key(bytes(32))


def main() -> None:
    status = read_status(arguments(__doc__ or "").status)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = prepare(folder, status)
        store = ObjectStore(account(status), str(folder / "files" / "ca.crt"))
        uid = environment["VIVERO_SERVER_UID"]
        at = account(status)
        endpoint = Endpoint(at.endpoint, at.region, (folder / "files" / "ca.crt").read_text())
        bucket = Bucket(Transport(endpoint), at.bucket, Credentials(at.access_key, at.secret_key))
        try:
            Positions(store, uid).save(Position({0: "0-1-2000"}, int(time.time())))
            grow(store, TENANTS, 1000)
            rows = [row("none changed", *night(bucket, uid, store))]
            grow(store, CHANGED, 2000)
            rows.append(row(f"{len(CHANGED)} changed", *night(bucket, uid, store)))
        finally:
            bucket.close()
            for key in [key for one in (*TENANTS, f"servers/{uid}") for key in store.list(f"{one}/")]:
                store.delete(key)
    print(machine())
    print_table(("1,000 tenants", "to be backed up", "written", "in all", "a tenant, p50", "p95"), rows)


def grow(store: ObjectStore, tenants: Iterable[str], gtid: int) -> None:
    """One transaction more in the log of each."""
    at = int(TAKEN.timestamp())

    def add(tenant: str) -> None:
        Chain(store, tenant).append(PUBLIC, [bytes(500)], Span(f"0-1-{gtid}", f"0-1-{gtid}", at, at))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, tenants))


def night(bucket: Bucket, uid: str, store: ObjectStore) -> tuple[int, int, list[float]]:
    """How many are to be backed up, bytes that were written meanwhile, and seconds that each answer took."""
    before = stored(store)
    found, took = decide(bucket, uid)
    return found, stored(store) - before, took


def decide(bucket: Bucket, uid: str) -> tuple[int, list[float]]:
    """One after the other, as the operator does."""
    found, took = 0, []
    for tenant in TENANTS:
        begun = time.perf_counter()
        head = read(bucket, uid, tenant)
        took.append(time.perf_counter() - begun)
        found += not unchanged(head, "0-1-1500", TAKEN, DUE)
    return found, took


def stored(store: ObjectStore) -> int:
    return sum(one.size for tenant in TENANTS for one in store.list(f"{tenant}/").values())


def row(name: str, found: int, written: int, took: list[float]) -> list[str]:
    times = [f"{percentile(took, share) * 1000:.0f} ms" for share in (0.5, 0.95)]
    return [name, str(found), f"{written} B", f"{sum(took):.0f} s", *times]


if __name__ == "__main__":
    main()
