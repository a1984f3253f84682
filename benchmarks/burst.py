"""Three times as many signups at one moment as there are spares, and how fast the pool is full again.

    ./vivero up --pool 0 --requests-per-minute 6000
    ./vivero status --json > status.json
    sudo python benchmarks/burst.py --status status.json --pool 10

Beside it in the same run: how fast a bare script starts as many tenants with
the same pods, which is what a refill can reach at most. And what the operator
writes for one claim with its refill.
"""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import at_rest
import tenant_objects
from bare_tenants import Bare, Script, Servers
from bare_tenants import make_all as make_bare
from figures import arguments, machine, percentile, print_table, read_status
from many_tenants import erase_bare
from signup import erase
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.config import from_kubeconfig
from vivero_core.backends.kube.resources import POD, TENANT
from vivero_core.model.constants import ANNOTATION_ASKED, LABEL_TENANT
from vivero_operator.reconcile.pods import Pod
from warm_signup import POOL, Run, Visitor, attempt, pool

BURST = 3  # times the pool
SETTLE_SECONDS = 40.0  # a pool's status settles in five, a database server's in thirty
FILL_SECONDS = 600.0


@dataclass
class Burst(Run):
    """What was measured besides the signups."""

    script: float = 0.0
    refill: float = 0.0
    full_after: float = 0.0
    writes: int = 0


async def ask(kube: KubeClient, namespaces: set[str]) -> None:
    """As the operator does for a tenant (ADR 0010); without it the script's pods would be ready seconds later by chance."""
    listing = await kube.list(POD, label_selector=LABEL_TENANT)
    async for change in kube.watch(POD, listing.resource_version, label_selector=LABEL_TENANT):
        if change.type == "BOOKMARK":
            continue
        pod = Pod.parse(change.object)
        if pod.running and not pod.asked and not pod.going and pod.namespace in namespaces:
            patch = {"metadata": {"annotations": {ANNOTATION_ASKED: "true"}}}
            await kube.patch(POD, pod.name, patch, pod.namespace)


async def bare_rate(kube: KubeClient, status: dict[str, Any], count: int, at_once: int) -> float:
    """Tenants a second of a bare script, with real pods."""
    document, script = await tenant_objects.of_cluster(kube), Script(kube, Servers(status))
    tenants = [Bare.from_objects(document, number) for number in range(count)]
    asking = asyncio.create_task(ask(kube, {one.namespace for one in tenants}))
    seconds = await make_bare(kube, script, tenants, at_once)
    asking.cancel()
    await erase_bare(kube, script, tenants, at_once)
    return count / seconds


async def full(kube: KubeClient, size: int) -> None:
    async with asyncio.timeout(FILL_SECONDS):
        while await _proven_spares(kube) < size:  # noqa: ASYNC110  asked often: the pool's own status settles first
            await asyncio.sleep(0.1)


async def _proven_spares(kube: KubeClient) -> int:
    tenants = (await kube.list(TENANT)).items
    spares = [one for one in tenants if one["spec"].get("pool") == POOL and "slug" not in one["spec"]]
    return sum("provenAt" in one.get("status", {}) for one in spares)


async def erase_signups(kube: KubeClient) -> None:
    names = [
        one["metadata"]["name"]
        for one in (await kube.list(TENANT)).items
        if one["spec"].get("slug", "").startswith("bench-")
    ]
    await erase(kube, names)


async def measure(status: dict[str, Any], size: int) -> Burst:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(BURST * size))
    run, visitor = Burst(), Visitor(status)
    async with KubeClient(from_kubeconfig(Path(status["kubeconfig"])), field_manager="vivero-benchmark") as kube:
        at_once = (await tenant_objects.of_operator(kube)).spares_at_once
        run.script = await bare_rate(kube, status, 2 * size, at_once)
        begin = time.perf_counter()
        async with pool(kube, size):
            # The machine to itself, as the script had.
            run.refill = size / (time.perf_counter() - begin)
            await asyncio.sleep(SETTLE_SECONDS)
            before = at_rest.writes(await at_rest.requests(kube))
            await attempt(visitor, run)
            await full(kube, size)
            await asyncio.sleep(SETTLE_SECONDS)
            run.writes = at_rest.writes(await at_rest.requests(kube)) - before
            run.signups.clear()
            run.warm = 0
            await asyncio.gather(*(attempt(visitor, run) for _ in range(BURST * size)))
            begin = time.perf_counter()
            await full(kube, size)
            run.full_after = time.perf_counter() - begin
            await erase_signups(kube)
    return run


def main() -> None:
    options = arguments(__doc__ or "", pool=10)
    run = asyncio.run(measure(read_status(options.status), options.pool))
    print(f"\npool of {options.pool}, {BURST * options.pool} signups at once; {machine()}\n")
    for failure in run.failures[:5]:
        print(f"failed: {failure}")
    rows = [
        ["signups", f"{len(run.signups)}, {run.warm} of them from a spare, {len(run.failures)} failed"],
        [
            "signup, fastest third / p50 / max",
            " / ".join(f"{percentile(run.signups, share):.1f} s" for share in (0.33, 0.5, 1.0)),
        ],
        ["bare script", f"{run.script:.2f} tenants a second"],
        ["filling the pool", f"{run.refill:.2f} tenants a second, {run.refill / run.script:.2f} of the script's"],
        ["pool is full again after the last signup", f"{run.full_after:.1f} s"],
        ["writes of the operator for one claim and its refill", str(run.writes)],
    ]
    print_table(["", ""], rows)


if __name__ == "__main__":
    main()
