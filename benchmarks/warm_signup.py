"""How long a signup takes that finds a spare, with people arriving as they do: whenever they like.

    ./vivero up --pool 0 --requests-per-minute 6000
    ./vivero status --json > status.json
    python benchmarks/warm_signup.py --status status.json --seconds 300 --per-minute 60 --pool 20

Open loop: arrivals are a Poisson process with a fixed seed, and nobody waits
for somebody else's signup to end, so a slow system is not spared. A signup
lasts from `POST /api/v1/signups` to the first authenticated 200 of the
workspace through the ingress, over connections of its own. In the same run
and at the same moments, one login and one look at the demo tenant's `me` over
new connections show what of that is the client, the ingress and a login.

A workspace is erased half a minute after it was measured: a machine has room
for only so many.
"""

import asyncio
import random
import secrets
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from figures import arguments, machine, percentile, print_table, read_status, summary
from signup import erase, finished, first_answer
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.config import from_kubeconfig
from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import TENANT, TENANT_POOL
from vivero_core.model.conditions import is_true
from vivero_core.model.constants import ConditionType
from vivero_core.model.tenant import Tenant
from vivero_dev.localhost import local_client

POOL = "spares"  # not how the slugs begin: a name tells who was claimed
SEED = 20261122
FILL_SECONDS = 600.0
SIGNUP_SECONDS = 60.0
KEPT_SECONDS = 30.0
THREADS = 128


@dataclass
class Run:
    """What was measured."""

    signups: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    binds: list[float] = field(default_factory=list)
    warm: int = 0
    failures: list[str] = field(default_factory=list)


class Visitor:
    """Somebody who signs up, with a browser of their own; blocks, so it runs in a thread."""

    def __init__(self, status: dict[str, Any]) -> None:
        self._status = status

    def sign_up(self) -> tuple[str, float]:
        """The tenant's name and the seconds to its first authenticated answer."""
        run = secrets.token_hex(6)
        who = {"email": f"bench-{run}@example.com", "password": secrets.token_urlsafe(16)}
        base = self._status["control_plane_url"]
        begin = time.perf_counter()
        with self._client() as client:
            body = {"company": f"Bench {run}", "slug": f"bench-{run}", **who}
            answer = client.post(f"{base}/api/v1/signups", json=body)
            answer.raise_for_status()
            view = finished(client, f"{base}/api/v1/signups/{answer.json()['id']}/events")
        if view["state"] != "ready":
            raise RuntimeError(f"signup failed: {view['detail']}")
        self._look_in(view["tenant"]["url"], who)
        return view["tenant"]["name"], time.perf_counter() - begin

    def look_at_the_demo(self) -> float:
        """Seconds of a login and one answer at a workspace that is there anyway."""
        demo = self._status["demo_tenant"]
        begin = time.perf_counter()
        self._look_in(demo["url"], {"email": demo["email"], "password": demo["password"]})
        return time.perf_counter() - begin

    def _look_in(self, url: str, who: dict[str, str]) -> None:
        """Over a connection of its own, as a browser that comes for the first time."""
        with self._client() as client:
            first_answer(client, url, who)

    def _client(self) -> httpx.Client:
        return local_client(Path(self._status["ca"]), timeout=SIGNUP_SECONDS)


@asynccontextmanager
async def pool(kube: KubeClient, size: int) -> AsyncIterator[None]:
    """A full pool; emptied and deleted afterwards."""
    metadata = {"name": POOL}
    manifest = {"apiVersion": "vivero.dev/v1alpha1", "kind": "TenantPool", "metadata": metadata}
    await kube.apply({**manifest, "spec": {"plan": "trial", "size": size}})
    try:
        async with asyncio.timeout(FILL_SECONDS):
            while (await kube.get(TENANT_POOL, POOL)).get("status", {}).get("ready") != size:  # noqa: ASYNC110
                await asyncio.sleep(1)
        yield
    finally:
        found = await kube.get(TENANT_POOL, POOL)
        await kube.delete(TENANT_POOL, POOL, uid=found["metadata"]["uid"])


async def watch_binds(kube: KubeClient, run: Run) -> None:
    """From the moment a claim shows to the moment the same Tenant is Ready with route and owner, as a watcher sees it."""
    claimed: dict[str, float] = {}
    version = (await kube.list(TENANT)).resource_version
    async for change in kube.watch(TENANT, version):
        if change.type == "BOOKMARK":
            continue
        tenant = Tenant.parse(change.object)
        if tenant.spec.claimed_at is None or tenant.spec.pool != POOL:
            continue
        begin = claimed.setdefault(tenant.metadata.uid, time.perf_counter())
        if begin and tenant.status.url and is_true(tenant.status.conditions, ConditionType.OWNER_READY):
            run.binds.append(time.perf_counter() - begin)
            claimed[tenant.metadata.uid] = 0.0


async def attempt(visitor: Visitor, run: Run) -> str | None:
    """The tenant's name; None when the signup failed, which is written down."""
    try:
        name, seconds = await asyncio.to_thread(visitor.sign_up)
    except (httpx.HTTPError, RuntimeError, TimeoutError) as error:
        run.failures.append(f"{type(error).__name__}: {error}")
        return None
    run.signups.append(seconds)
    run.warm += name.startswith(f"{POOL}-")
    return name


async def one(visitor: Visitor, kube: KubeClient, run: Run) -> None:
    name = await attempt(visitor, run)
    if name is None:
        return
    run.bare.append(await asyncio.to_thread(visitor.look_at_the_demo))
    await asyncio.sleep(KEPT_SECONDS)
    try:
        tenant = await kube.patch(TENANT, name, {"spec": {"deletionPolicy": "Delete"}})
        await kube.delete(TENANT, name, uid=tenant["metadata"]["uid"])
    except KubeNotFoundError:
        return


async def measure(status: dict[str, Any], *, seconds: int, per_minute: int, size: int) -> Run:
    # Each signup in a thread of its own: who waits holds up nobody who arrives.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
    arrivals, run, visitor = random.Random(SEED), Run(), Visitor(status)  # noqa: S311  a schedule, no secret
    async with KubeClient(from_kubeconfig(Path(status["kubeconfig"])), field_manager="vivero-benchmark") as kube:
        async with pool(kube, size):
            watching = asyncio.create_task(watch_binds(kube, run))
            await asyncio.sleep(5)
            begin = at = time.perf_counter()
            async with asyncio.TaskGroup() as group:
                while (at := at + arrivals.expovariate(per_minute / 60)) < begin + seconds:
                    await asyncio.sleep(max(0.0, at - time.perf_counter()))
                    group.create_task(one(visitor, kube, run))
            watching.cancel()
        leftovers = [item["metadata"]["name"] for item in (await kube.list(TENANT)).items]
        await erase(kube, [name for name in leftovers if name.startswith(f"{POOL}-")])
    return run


def main() -> None:
    options = arguments(__doc__ or "", seconds=300, per_minute=60, pool=20)
    run = asyncio.run(
        measure(read_status(options.status), seconds=options.seconds, per_minute=options.per_minute, size=options.pool)
    )
    count = len(run.signups)
    print(f"\n{count} signups, {run.warm} of them from a spare, {len(run.failures)} failed; {machine()}")
    print(
        f"{options.per_minute} a minute for {options.seconds} s, pool of {options.pool}; {datetime.now(UTC):%Y-%m-%d}\n"
    )
    for failure in run.failures[:5]:
        print(f"failed: {failure}")
    rows = {"signup": run.signups, "login and me of another tenant": run.bare, "bind": run.binds}
    table = [[name, *(f"{value * 1000:.0f} ms" for value in summary(values).values())] for name, values in rows.items()]
    print_table(["", "p50", "p95", "max"], table)
    print(f"\nbind p99: {percentile(run.binds, 0.99) * 1000:.0f} ms")
    print("goals: signup p95 at most 300 ms; bind p50 at most 50 ms, p99 at most 200 ms")


if __name__ == "__main__":
    main()
