"""Many tenants at once: the deployed operator beside a bare script and a Go operator, with pods simulated by kwok.

    ./vivero up --pool 0
    ./vivero status --json > status.json
    sudo python benchmarks/many_tenants.py --status status.json --tenants 300
    sudo python benchmarks/many_tenants.py --status status.json --tenants 1000 --contestants vivero --idle 600

Each contestant makes as many tenants from nothing, as many of them at a time,
on the same platform; the clock runs from its first request to the moment the
last pod (script) or the last resource (operators) is Ready. They come in the
order in which they are named, and may be named more than once: a machine that
others share is not as fast in one quarter of an hour as in the next. Between
them everything is erased, and the platform comes to rest. Ours may then be
looked at while it has nothing to do: its memory, a restart, idle minutes.
No real pod starts: simulated_node.py.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import at_rest
import departures
import go_peer
import tenant_objects
from any_kind import AnyKindClient
from arrivals import name_with, until_all
from bare_tenants import Bare, Script, Servers, each
from bare_tenants import make_all as make_bare
from figures import arguments, machine, print_table, read_status
from memory import usage
from simulated_node import simulated_node
from vivero_core.backends.kube.client import KubeClient, Object
from vivero_core.backends.kube.config import from_kubeconfig
from vivero_core.backends.kube.resources import NAMESPACE, TENANT
from vivero_core.model.constants import API_VERSION, ConditionType

PREFIX = "many"
SCRIPT = "bare script"
REST_SECONDS = 45.0  # longer than Envoy keeps replaced listeners
SETTLE_SECONDS = 45.0
WARM_UP = 20


def tenant(number: int) -> Object:
    name = f"{PREFIX}-{number}"
    spec = {
        "displayName": "Many",
        "slug": name,
        "plan": "trial",
        "owner": {"email": "a@example.com"},
        "deletionPolicy": "Delete",
    }
    return {"apiVersion": API_VERSION, "kind": "Tenant", "metadata": {"name": name}, "spec": spec}


async def make_tenants(kube: KubeClient, count: int, concurrency: int) -> float:
    """Seconds until the operator has made all of them Ready."""
    bodies = [tenant(number) for number in range(count)]
    names = {body["metadata"]["name"] for body in bodies}
    begin = time.perf_counter()
    watching = asyncio.create_task(until_all(kube, TENANT, names, name_with(ConditionType.READY)))
    await each(bodies, kube.create, concurrency)
    await watching
    return time.perf_counter() - begin


async def erase_tenants(kube: KubeClient) -> float:
    """Seconds until they and their namespaces are gone."""
    begin = time.perf_counter()
    await departures.erase(kube, TENANT, lambda item: item["metadata"]["name"].startswith(f"{PREFIX}-"))
    return time.perf_counter() - begin


async def erase_bare(kube: KubeClient, script: Script, tenants: list[Bare], concurrency: int) -> None:
    await each(tenants, script.erase, concurrency)
    names = {one.namespace for one in tenants}
    await departures.until_none(kube, NAMESPACE, lambda item: item["metadata"]["name"] in names)


@dataclass(frozen=True)
class Result:
    """How long one contestant took, and what its program had in memory at the end."""

    name: str
    seconds: float
    memory: str


class Race:
    """The contestants, one after another; each leaves the platform as it found it."""

    def __init__(self, kube: AnyKindClient, status: dict[str, Any], *, count: int, concurrency: int, idle: int) -> None:
        self._kube = kube
        self._status = status
        self._count = count
        self._concurrency = concurrency
        self._idle = idle
        self._results: list[Result] = []

    async def run(self, contestants: Sequence[str]) -> list[Result]:
        for number, name in enumerate(contestants):
            if number:
                await asyncio.sleep(REST_SECONDS)
            await COURSES[name](self)
        return self._results

    async def bare(self) -> None:
        document = await tenant_objects.of_cluster(self._kube)
        tenants = [Bare.from_objects(document, number) for number in range(self._count)]
        script = Script(self._kube, Servers(self._status))
        # Whoever comes first would pay for everybody's first connections and first caches.
        first = [Bare.from_objects(document, number) for number in range(self._count, self._count + WARM_UP)]
        await make_bare(self._kube, script, first, self._concurrency)
        await erase_bare(self._kube, script, first, self._concurrency)
        self._note(SCRIPT, await make_bare(self._kube, script, tenants, self._concurrency))
        await erase_bare(self._kube, script, tenants, self._concurrency)

    async def go(self) -> None:
        async with go_peer.running(self._kube, self._status, self._concurrency) as process:
            seconds = await go_peer.make(self._kube, self._count, self._concurrency)
            self._note("controller-runtime", seconds, f"{usage([Path('/proc', str(process.pid))]).rss:.0f} MiB")
            await go_peer.erase(self._kube)

    async def ours(self) -> None:
        seconds = await make_tenants(self._kube, self._count, self._concurrency)
        self._note("Vivero", seconds, f"{await at_rest.resident(self._kube):.0f} MiB")
        if self._idle:
            await self._rest(self._idle)
        erased = await erase_tenants(self._kube)
        print(f"Vivero has erased them after {erased:.0f} s", flush=True)

    async def _rest(self, idle: int) -> None:
        # What is counted for people is written within half a minute: before the kill, not after it.
        await asyncio.sleep(SETTLE_SECONDS)
        again = await at_rest.restart(self._kube, self._count)
        print(f"restart: quiet after {again.quiet_after:.0f} s, {again.writes} writes, {again.refused} answers 429")
        print(f"resident afterwards: {await at_rest.resident(self._kube):.0f} MiB", flush=True)
        rest = await at_rest.idle(self._kube, idle)
        print(
            f"idle for {idle} s: {rest.writes} writes, {rest.proofs} of them renewed proofs; {rest.leases} of the Lease"
        )
        print(f"resident afterwards: {await at_rest.resident(self._kube):.0f} MiB", flush=True)

    def _note(self, name: str, seconds: float, memory: str = "") -> None:
        self._results.append(Result(name, seconds, memory))
        print(f"{name}: {self._count} after {seconds:.1f} s {memory}", flush=True)


COURSES = {"script": Race.bare, "go": Race.go, "vivero": Race.ours}


def rows(results: Sequence[Result], count: int) -> list[list[str]]:
    """For people; the script's rate is that of all its runs together."""
    floor = [one.seconds for one in results if one.name == SCRIPT]
    return [
        [
            one.name,
            f"{one.seconds:.1f} s",
            f"{count / one.seconds:.2f}",
            f"{fmean(floor) / one.seconds:.2f}" if floor else "",
            one.memory,
        ]
        for one in results
    ]


async def measure(
    status: dict[str, Any], contestants: Sequence[str], *, count: int, concurrency: int, idle: int
) -> list[Result]:
    async with AnyKindClient(from_kubeconfig(Path(status["kubeconfig"])), field_manager="vivero-benchmark") as kube:
        race = Race(kube, status, count=count, concurrency=concurrency, idle=idle)
        async with simulated_node(kube, status):
            return await race.run(contestants)


def main() -> None:
    options = arguments(__doc__ or "", tenants=300, concurrency=12, contestants=",".join(COURSES), idle=0)
    contestants = options.contestants.split(",")
    if unknown := set(contestants) - set(COURSES):
        raise SystemExit(f"--contestants: {', '.join(sorted(unknown))} is none of {', '.join(COURSES)}")
    results = asyncio.run(
        measure(
            read_status(options.status),
            contestants,
            count=options.tenants,
            concurrency=options.concurrency,
            idle=options.idle,
        )
    )
    print(f"\n{options.tenants} tenants, {options.concurrency} at once, pods simulated; {machine()}\n")
    print_table(
        ["", "until all are ready", "tenants a second", "rate by the script's", "resident"],
        rows(results, options.tenants),
    )


if __name__ == "__main__":
    main()
