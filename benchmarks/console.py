"""How soon the staff console and the public site answer with many tenants and a long audit log.

    ./vivero up --instance bench --pool 0 --requests-per-minute 100000
    ./vivero status --instance bench --json > status.json
    PYTHONPATH=core:dev:operator python benchmarks/console.py --status status.json --tenants 1000 --entries 1000000

On a platform of its own, which is reset afterwards: the Tenants are paused, so that the operator gives them nothing, and
the entries of the audit log are written by SQL. One program asks over one connection through the ingress, a page of each
kind in turn; the time is until the first byte. The bare request asks the same pod for its health.
"""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pymysql
from bare_tenants import each
from figures import arguments, machine, percentile, print_table, read_status
from vivero_core.backends.kube.client import KubeClient, Object
from vivero_core.backends.kube.config import from_kubeconfig
from vivero_core.model.constants import ANNOTATION_PAUSED, API_VERSION
from vivero_dev.localhost import local_client

PREFIX = "listed"
SCHEMA = "vivero_control"
AT_ONCE = 20
WRITTEN = 100_000  # entries of one statement
PAGES = (
    "/healthz",
    "/",
    "/pricing",
    "/staff/tenants",
    "/staff/tenants?q=listed-77",
    f"/staff/tenants/{PREFIX}-7",
    "/staff/audit",
    "/staff/audit?actor=person-7%40example.com",
    "/staff/audit?action=act-7&since=2026-02-01",
    "/staff/audit?subject=tenant%2Flisted-7",
    "/staff/billing",
    "/staff/backups",
)


def tenant(number: int) -> Object:
    name = f"{PREFIX}-{number}"
    spec = {
        "displayName": f"Customer {number}",
        "slug": name,
        "plan": "trial",
        "owner": {"email": f"{name}@example.com"},
    }
    metadata = {"name": name, "annotations": {ANNOTATION_PAUSED: "true"}}
    return {"apiVersion": API_VERSION, "kind": "Tenant", "metadata": metadata, "spec": spec}


async def make_tenants(kubeconfig: str, count: int) -> None:
    async with KubeClient(from_kubeconfig(Path(kubeconfig)), field_manager="benchmark") as kube:
        await each([tenant(number) for number in range(count)], kube.create, AT_ONCE)


def write_entries(at: dict[str, Any], count: int) -> None:
    """Over a year, of a hundred people, fifty acts and a thousand tenants."""
    connection = pymysql.connect(
        host=at["host"],
        port=int(at["port"]),
        user=at["admin_user"],
        password=at["admin_password"],
        ssl={"ca": at["ca"]},
        database=SCHEMA,
        autocommit=True,
    )
    with connection, connection.cursor() as cursor:
        for start in range(1, count + 1, WRITTEN):
            cursor.execute(
                "INSERT INTO audit (at, actor, action, subject, reason, detail, outcome, request_id)"  # noqa: S608  our own words
                " SELECT TIMESTAMP('2026-01-01') + INTERVAL seq * 29 SECOND, CONCAT('person-', seq % 101, '@example.com'),"
                f" CONCAT('act-', seq % 53), CONCAT('tenant/{PREFIX}-', seq * 7919 % 1000), 'as they asked', '{{}}', 'done', ''"
                f" FROM seq_{start}_to_{min(start + WRITTEN - 1, count)}"
            )
        cursor.execute("ANALYZE TABLE audit")


def first_byte(client: httpx.Client, address: str) -> float:
    begun = time.perf_counter()
    with client.stream("GET", address) as answer:
        answer.raise_for_status()
        next(answer.iter_raw(), b"")
        return time.perf_counter() - begun


def asked(client: httpx.Client, home: str, rounds: int) -> dict[str, list[float]]:
    """Seconds of each page; the first round, in which templates are compiled, does not count."""
    taken: dict[str, list[float]] = {page: [] for page in PAGES}
    for _ in range(rounds + 1):
        for page, seconds in taken.items():
            seconds.append(first_byte(client, home + page))
    return {page: seconds[1:] for page, seconds in taken.items()}


def rows(taken: dict[str, list[float]]) -> Sequence[Sequence[str]]:
    return [
        [f"`{page}`", *(f"{1000 * percentile(seconds, share):.1f} ms" for share in (0.5, 0.95))]
        for page, seconds in taken.items()
    ]


def main() -> None:
    options = arguments(__doc__ or "", tenants=1000, entries=1_000_000, rounds=40)
    status = read_status(options.status)
    asyncio.run(make_tenants(status["kubeconfig"], options.tenants))
    write_entries(status["mariadb"], options.entries)
    home = status["control_plane_url"].rstrip("/")
    with local_client(Path(status["ca"]), timeout=60.0) as client:
        client.headers["Accept"] = "text/html"
        login = {"email": status["admin"]["email"], "password": status["admin"]["password"]}
        client.post(f"{home}/staff/login", data=login, headers={"Origin": home})
        taken = asked(client, home, options.rounds)
    print(f"\n{options.tenants:,} tenants, {options.entries:,} entries, {options.rounds} rounds; {machine()}\n")
    print_table(["until the first byte", "p50", "p95"], rows(taken))


if __name__ == "__main__":
    main()
