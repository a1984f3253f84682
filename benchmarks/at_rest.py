"""What the deployed operator does when nothing is to be done: after a kill, and for minutes on end."""

import asyncio
import os
import re
import signal
import time
from collections import Counter
from dataclasses import dataclass

import aiohttp
from memory import container_ids, processes_of, usage
from vivero_core.backends.kube.client import KubeClient, Object
from vivero_core.backends.kube.resources import LEASE, POD, TENANT
from vivero_core.model.constants import PLATFORM_NAMESPACE

ADMIN_PORT = 8081
OPERATOR = "vivero-operator"
WATCHED_SECONDS = 90.0
RESYNC_SECONDS = 600.0  # the operator's own setting, by default
LOOK_SECONDS = 60.0  # proofs last ten minutes: no renewal is missed
WINDOW = 5  # seconds over which requests are averaged
CALLS_A_PASS = 20  # reads of a pass over a tenant that is well, rounded up
_LINE = re.compile(r'^rest_client_requests_total\{code="(?P<code>\d+)",method="(?P<method>[A-Z]+)"\} (?P<count>\S+)$')


@dataclass(frozen=True)
class Restart:
    """What a restart cost."""

    quiet_after: float
    """Seconds from the kill until the requests are at most twice those of the steady resync."""
    writes: int
    refused: int
    """Answers with status 429."""


@dataclass(frozen=True)
class Idle:
    """What was written in a time of rest."""

    writes: int
    """All but the Lease's."""
    proofs: int
    """Renewed proofs, each of which is one of those writes."""
    leases: int


async def pod(kube: KubeClient) -> Object:
    """The operator's pod that leads; the other one waits and does next to nothing."""
    lease = await kube.get(LEASE, OPERATOR, PLATFORM_NAMESPACE)
    return await kube.get(POD, lease["spec"]["holderIdentity"], PLATFORM_NAMESPACE)


async def resident(kube: KubeClient) -> float:
    """MiB resident of the operator."""
    return usage(processes_of(container_ids(await pod(kube)))).rss


async def requests(kube: KubeClient) -> Counter[tuple[str, int]]:
    """Answers that the operator has had from the API server since its start, by method and status; watches excepted."""
    address = (await pod(kube))["status"]["podIP"]
    async with aiohttp.ClientSession() as session, session.get(f"http://{address}:{ADMIN_PORT}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    found = [match for line in lines if (match := _LINE.match(line))]
    return Counter({(match["method"], int(match["code"])): int(float(match["count"])) for match in found})


def writes(counts: Counter[tuple[str, int]]) -> int:
    """All but reads, and but PUT, which is the Lease's alone."""
    return sum(count for (method, _), count in counts.items() if method in {"POST", "PATCH", "DELETE"})


async def restart(kube: KubeClient, tenants: int) -> Restart:
    """Kill the operator's process; kubelet starts its container again in the same pod."""
    for folder in processes_of(container_ids(await pod(kube))):
        os.kill(int(folder.name), signal.SIGKILL)
    begin = time.perf_counter()
    seen: list[tuple[float, int]] = []
    counts: Counter[tuple[str, int]] = Counter()
    while time.perf_counter() < begin + WATCHED_SECONDS:
        await asyncio.sleep(1)
        try:
            counts = await requests(kube)
        except (aiohttp.ClientError, KeyError):
            continue  # it is not up yet
        seen.append((time.perf_counter() - begin, counts.total()))
    steady = 2 * tenants * CALLS_A_PASS / RESYNC_SECONDS * WINDOW
    windows = zip(seen, seen[WINDOW:], strict=False)
    busy = [start for (start, low), (_, high) in windows if high - low > steady]
    refused = sum(count for (_, code), count in counts.items() if code == 429)  # noqa: PLR2004  HTTP's own number
    return Restart(busy[-1] if busy else seen[0][0], writes(counts), refused)


async def idle(kube: KubeClient, seconds: float) -> Idle:
    """What is written while nobody wants anything."""
    before, proofs, proven = await requests(kube), 0, await _proven_at(kube)
    end = time.perf_counter() + seconds
    while (left := end - time.perf_counter()) > 0:
        await asyncio.sleep(min(LOOK_SECONDS, left))
        now = await _proven_at(kube)
        proofs += sum(now[name] != proven.get(name) for name in now)
        proven = now
    after = await requests(kube)
    return Idle(writes(after) - writes(before), proofs, (after - before)["PUT", 200])


async def _proven_at(kube: KubeClient) -> dict[str, str]:
    """When each Tenant was last proven, by name."""
    listing = await kube.list_as(TENANT, lambda item: (item["metadata"]["name"], item["status"]["provenAt"]))
    return dict(listing.items)
