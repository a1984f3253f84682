"""Many tenants at once: the deployed operator beside a bare script and a Go operator, with pods simulated by kwok.

    ./vivero up --pool 0
    ./vivero status --json > status.json
    sudo python benchmarks/many_tenants.py --status status.json --tenants 300
    sudo python benchmarks/many_tenants.py --status status.json --tenants 1000 --others 0 --idle 600

Each contestant makes as many tenants from nothing, as many of them at a time,
on the same platform; the clock runs from its first request to the moment the
last pod (script) or the last resource (operators) is Ready. Between them
everything is erased, and the platform comes to rest. Ours is last and is then
looked at while it has nothing to do: its memory, a restart, idle minutes.
No real pod starts: simulated_node.py.
"""

import asyncio
import time
from pathlib import Path
from typing import Any

import at_rest
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
REST_SECONDS = 45.0  # longer than Envoy keeps replaced listeners
SETTLE_SECONDS = 45.0
WARM_UP = 20
ERASE_SECONDS = 1800.0


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


async def _ours(kube: KubeClient) -> list[Object]:
    listing = await kube.list(TENANT, metadata_only=True)
    return [item for item in listing.items if item["metadata"]["name"].startswith(f"{PREFIX}-")]


async def erase_tenants(kube: KubeClient) -> float:
    """Seconds until they and their namespaces are gone."""
    begin = time.perf_counter()
    for item in await _ours(kube):
        await kube.delete(TENANT, item["metadata"]["name"], uid=item["metadata"]["uid"])
    async with asyncio.timeout(ERASE_SECONDS):
        while await _ours(kube):  # noqa: ASYNC110  asked now and then
            await asyncio.sleep(1)
    return time.perf_counter() - begin


async def erase_bare(kube: KubeClient, script: Script, tenants: list[Bare], concurrency: int) -> None:
    await each(tenants, script.erase, concurrency)
    names = {one.namespace for one in tenants}
    async with asyncio.timeout(ERASE_SECONDS):
        while names & {item["metadata"]["name"] for item in (await kube.list(NAMESPACE, metadata_only=True)).items}:  # noqa: ASYNC110
            await asyncio.sleep(1)


class Race:
    """The contestants, one after another; each leaves the platform as it found it."""

    def __init__(self, kube: AnyKindClient, status: dict[str, Any], count: int, concurrency: int) -> None:
        self._kube = kube
        self._status = status
        self._count = count
        self._concurrency = concurrency
        self.rows: list[list[str]] = []
        self._floor = 0.0

    async def bare(self) -> None:
        document = await tenant_objects.of_cluster(self._kube)
        tenants = [Bare.from_objects(document, number) for number in range(self._count)]
        script = Script(self._kube, Servers(self._status))
        # Whoever comes first would pay for everybody's first connections and first caches.
        first = [Bare.from_objects(document, number) for number in range(self._count, self._count + WARM_UP)]
        await make_bare(self._kube, script, first, self._concurrency)
        await erase_bare(self._kube, script, first, self._concurrency)
        self._floor = await make_bare(self._kube, script, tenants, self._concurrency)
        self._note("bare script", self._floor, "")
        await erase_bare(self._kube, script, tenants, self._concurrency)
        await asyncio.sleep(REST_SECONDS)

    async def go(self) -> None:
        async with go_peer.running(self._kube, self._status, self._concurrency) as process:
            seconds = await go_peer.make(self._kube, self._count, self._concurrency)
            self._note("controller-runtime", seconds, f"{usage([Path('/proc', str(process.pid))]).rss:.0f} MiB")
            await go_peer.erase(self._kube, self._concurrency)
        await asyncio.sleep(REST_SECONDS)

    async def ours(self, idle: int) -> None:
        seconds = await make_tenants(self._kube, self._count, self._concurrency)
        self._note("Vivero", seconds, f"{await at_rest.resident(self._kube):.0f} MiB")
        if idle:
            await self._rest(idle)
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

    def _note(self, name: str, seconds: float, memory: str) -> None:
        ratio = f"{self._floor / seconds:.2f}" if self._floor else ""
        self.rows.append([name, f"{seconds:.1f} s", f"{self._count / seconds:.2f}", ratio, memory])
        print(*self.rows[-1], flush=True)


async def measure(status: dict[str, Any], *, count: int, concurrency: int, others: bool, idle: int) -> list[list[str]]:
    async with AnyKindClient(from_kubeconfig(Path(status["kubeconfig"])), field_manager="vivero-benchmark") as kube:
        race = Race(kube, status, count, concurrency)
        async with simulated_node(kube, status):
            if others:
                await race.bare()
                await race.go()
            await race.ours(idle)
    return race.rows


def main() -> None:
    options = arguments(__doc__ or "", tenants=300, concurrency=12, others=1, idle=0)
    rows = asyncio.run(
        measure(
            read_status(options.status),
            count=options.tenants,
            concurrency=options.concurrency,
            others=bool(options.others),
            idle=options.idle,
        )
    )
    print(f"\n{options.tenants} tenants, {options.concurrency} at once, pods simulated; {machine()}\n")
    print_table(["", "until all are ready", "tenants a second", "rate by the script's", "resident"], rows)


if __name__ == "__main__":
    main()
