"""As many tenants with real pods as the machine takes: how fast, how much memory, and whether all of them serve.

    ./vivero up --pool 0 --requests-per-minute 6000
    ./vivero status --json > status.json
    sudo python benchmarks/real_pods.py --status status.json --tenants 245 --rest 120

245 are what 24 GiB take of the 96 MiB that each pod reserves, and kubelet's
limit is 250 pods. They are on a plan of their own that reserves next to no
processor: of the trial's 20 thousandths two cores have 84.

All are created at one moment. When they are Ready each workspace is asked
through the ingress (a stranger's login, which it looks up in its own database
and refuses), then the machine is watched while nobody wants anything.
"""

import asyncio
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import at_rest
from arrivals import name_with, until_all
from bare_tenants import each
from figures import arguments, machine, percentile, print_table, read_status, summary
from many_tenants import erase_tenants, tenant
from memory import Usage, container_ids, processes_of, usage
from vivero_core.backends.kube.client import KubeClient, Object
from vivero_core.backends.kube.config import from_kubeconfig
from vivero_core.backends.kube.resources import PLAN, POD, TENANT
from vivero_core.model import naming
from vivero_core.model.constants import API_VERSION, LABEL_TENANT, PLAN_TRIAL, ConditionType
from vivero_dev.localhost import local_client

PLAN_NAME = "packed"
CPU_REQUEST = "1m"
AT_ONCE = 12  # as many as the operator works on at a time
VISITORS = 4
VISIT_SECONDS = 30.0
READY_SECONDS = 3600.0
SETTLE_SECONDS = 60.0
REFUSED = 401


@dataclass(frozen=True)
class Packed:
    """What was seen of a full machine."""

    ready_seconds: float
    pods: list[Usage]
    operator: float
    """MiB resident of the operator."""
    used: float
    """GiB that the machine has less than before."""
    left: float
    """GiB that it could still give."""
    visits: list[float]
    busy: float
    """Share of all processors that was in use at rest."""
    restarts: int
    unready: int
    """Tenants that were not Ready any more after the rest."""


def plan(trial: Object) -> Object:
    """The trial's, but for what its pods reserve of the processor."""
    workload = {**trial["spec"]["workload"], "cpuRequest": CPU_REQUEST}
    spec = {**trial["spec"], "displayName": "Packed", "workload": workload}
    spec.pop("trialDays", None)
    return {"apiVersion": API_VERSION, "kind": "Plan", "metadata": {"name": PLAN_NAME}, "spec": spec}


def packed(number: int) -> Object:
    body = tenant(number)
    return {**body, "spec": {**body["spec"], "plan": PLAN_NAME}}


async def fill(kube: KubeClient, count: int) -> float:
    """Seconds until all are Ready."""
    bodies = [packed(number) for number in range(count)]
    names = {body["metadata"]["name"] for body in bodies}
    begin = time.perf_counter()
    async with asyncio.timeout(READY_SECONDS):
        watching = asyncio.create_task(until_all(kube, TENANT, names, name_with(ConditionType.READY)))
        await each(bodies, kube.create, AT_ONCE)
        await watching
    return time.perf_counter() - begin


async def ours(kube: KubeClient) -> list[Object]:
    return [item for item in (await kube.list(TENANT)).items if item["spec"]["plan"] == PLAN_NAME]


def visit(status: dict[str, Any], url: str) -> float:
    """Seconds until the workspace has refused a stranger, over a connection of its own."""
    begin = time.perf_counter()
    with local_client(Path(status["ca"]), timeout=VISIT_SECONDS) as client:
        answer = client.post(f"{url}/api/v1/auth/login", json={"email": "nobody@example.com", "password": "a stranger"})
    if answer.status_code != REFUSED:
        raise SystemExit(f"{url} answered {answer.status_code}")
    return time.perf_counter() - begin


async def visit_all(status: dict[str, Any], urls: list[str]) -> list[float]:
    seconds: list[float] = []

    async def one(url: str) -> None:
        seconds.append(await asyncio.to_thread(visit, status, url))

    await each(urls, one, VISITORS)
    return seconds


async def pods(kube: KubeClient) -> list[Object]:
    namespaces = {naming.namespace_name(one["status"]["id"]) for one in await ours(kube)}
    listing = await kube.list(POD, label_selector=LABEL_TENANT)
    return [one for one in listing.items if one["metadata"]["namespace"] in namespaces]


def available() -> float:
    """GiB that could be given to programs, as the kernel estimates it (proc(5), MemAvailable)."""
    [line] = [line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemAvailable:")]
    return int(line.split()[1]) / 2**20


def processor_seconds() -> tuple[float, float]:
    """Busy and all, of all processors since the start (proc(5), stat)."""
    user, nice, system, idle, waiting, irq, soft_irq, stolen, *_ = map(
        int, Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    )
    busy = user + nice + system + irq + soft_irq + stolen
    ticks = os.sysconf("SC_CLK_TCK")
    return busy / ticks, (busy + idle + waiting) / ticks


async def busy_share(seconds: float) -> float:
    busy, total = processor_seconds()
    await asyncio.sleep(seconds)
    now_busy, now_total = processor_seconds()
    return (now_busy - busy) / (now_total - total)


async def measure(status: dict[str, Any], count: int, rest: float) -> Packed:
    async with KubeClient(from_kubeconfig(Path(status["kubeconfig"])), field_manager="vivero-benchmark") as kube:
        await kube.create(plan(await kube.get(PLAN, PLAN_TRIAL)))
        before = available()
        try:
            ready_seconds = await fill(kube, count)
            print(f"{count} tenants Ready after {ready_seconds:.0f} s", flush=True)
            visits = await visit_all(status, [one["status"]["url"] for one in await ours(kube)])
            await asyncio.sleep(SETTLE_SECONDS)
            busy = await busy_share(rest)
            found, is_ready = await pods(kube), name_with(ConditionType.READY)
            return Packed(
                ready_seconds=ready_seconds,
                pods=[usage(processes_of(container_ids(one))) for one in found],
                operator=await at_rest.resident(kube),
                used=before - available(),
                left=available(),
                visits=visits,
                busy=busy,
                restarts=sum(each["restartCount"] for one in found for each in one["status"]["containerStatuses"]),
                unready=sum(is_ready(one) is None for one in await ours(kube)),
            )
        finally:
            print(f"erased after {await erase_tenants(kube):.0f} s", flush=True)
            made = await kube.get(PLAN, PLAN_NAME)
            await kube.delete(PLAN, PLAN_NAME, uid=made["metadata"]["uid"])


def main() -> None:
    options = arguments(__doc__ or "", tenants=245, rest=120)
    seen = asyncio.run(measure(read_status(options.status), options.tenants, options.rest))
    rss, pss = [one.rss for one in seen.pods], [one.pss for one in seen.pods]
    print(f"\n{machine()}\n")
    rows = [
        ["tenants, each with a real pod", str(len(seen.visits))],
        ["until all were Ready", f"{seen.ready_seconds:.0f} s, {len(seen.visits) / seen.ready_seconds:.2f} a second"],
        [
            "answer of each through the ingress, p50 / p95 / max",
            " / ".join(f"{value * 1000:.0f} ms" for value in summary(seen.visits).values()),
        ],
        [
            "memory of a pod, RSS p50 / max, PSS p50",
            f"{percentile(rss, 0.5):.1f} / {max(rss):.1f} / {percentile(pss, 0.5):.1f} MiB",
        ],
        ["memory of the machine, taken / left", f"{seen.used:.1f} / {seen.left:.1f} GiB"],
        ["operator, resident", f"{seen.operator:.0f} MiB"],
        [f"processors in use over {options.rest} s of rest", f"{seen.busy:.0%}"],
        ["restarts of containers; tenants not Ready after the rest", f"{seen.restarts}; {seen.unready}"],
    ]
    print_table(["", ""], rows)


if __name__ == "__main__":
    main()
