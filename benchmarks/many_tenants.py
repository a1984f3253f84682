"""A thousand tenants at once: the deployed operator beside a bare script, with pods simulated by kwok.

    ./vivero up --pool 0
    ./vivero status --json > status.json
    sudo python benchmarks/many_tenants.py --status status.json --tenants 1000

Each contestant makes as many tenants from nothing, as many of them at a time,
on the same platform; the clock runs from its first request to the moment the
last pod (script) or Tenant (operator) is Ready. Between them everything is
erased, and the platform comes to rest. No real pod starts: simulated_node.py.
"""

import asyncio
import time
from pathlib import Path
from typing import Any

from bare_tenants import Bare, Platform, Script, Servers, each
from bare_tenants import make_all as make_bare
from figures import arguments, machine, print_table, read_status
from memory import container_ids, processes_of, usage
from simulated_node import simulated_node
from vivero_core.backends.kube.client import KubeClient, Object
from vivero_core.backends.kube.config import from_kubeconfig
from vivero_core.backends.kube.resources import NAMESPACE, POD, TENANT
from vivero_core.model.conditions import is_true
from vivero_core.model.constants import API_VERSION, PLATFORM_NAMESPACE, ConditionType
from vivero_core.model.tenant import Tenant

PREFIX = "many"
REST_SECONDS = 20.0
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


async def tenants_ready(kube: KubeClient, names: set[str]) -> None:
    """Returns when all are."""
    missing, listing = set(names), await kube.list(TENANT)
    while missing:
        async for change in kube.watch(TENANT, listing.resource_version):
            if change.type == "BOOKMARK":
                continue
            one = Tenant.parse(change.object)
            if is_true(one.status.conditions, ConditionType.READY):
                missing.discard(one.name)
            if not missing:
                return


async def make_tenants(kube: KubeClient, bodies: list[Object], concurrency: int) -> float:
    """Seconds until the operator has made all of them Ready."""
    begin = time.perf_counter()
    watching = asyncio.create_task(tenants_ready(kube, {body["metadata"]["name"] for body in bodies}))
    slots = asyncio.Semaphore(concurrency)

    async def create(body: Object) -> None:
        async with slots:
            await kube.create(body)

    await asyncio.gather(*(create(body) for body in bodies))
    await watching
    return time.perf_counter() - begin


async def erase_tenants(kube: KubeClient) -> None:
    for item in (await kube.list(TENANT)).items:
        if item["metadata"]["name"].startswith(f"{PREFIX}-"):
            await kube.delete(TENANT, item["metadata"]["name"], uid=item["metadata"]["uid"])
    async with asyncio.timeout(ERASE_SECONDS):
        while any(item["metadata"]["name"].startswith(f"{PREFIX}-") for item in (await kube.list(TENANT)).items):  # noqa: ASYNC110  asked now and then
            await asyncio.sleep(1)


async def erase_bare(kube: KubeClient, script: Script, tenants: list[Bare], concurrency: int) -> None:
    await each(tenants, script.erase, concurrency)
    names = {one.first["metadata"]["name"] for one in tenants}
    async with asyncio.timeout(ERASE_SECONDS):
        while names & {item["metadata"]["name"] for item in (await kube.list(NAMESPACE)).items}:  # noqa: ASYNC110
            await asyncio.sleep(1)


async def operator_memory(kube: KubeClient) -> float:
    """MiB resident of the largest operator pod."""
    pods = await kube.list(POD, PLATFORM_NAMESPACE, label_selector="app.kubernetes.io/name=vivero-operator")
    return max(usage(processes_of(container_ids(pod))).rss for pod in pods.items)


async def measure(status: dict[str, Any], count: int, concurrency: int) -> list[list[str]]:
    async with KubeClient(from_kubeconfig(Path(status["kubeconfig"])), field_manager="vivero-benchmark") as kube:
        platform, script = await Platform.read(kube, "trial"), Script(kube, Servers(status))
        tenants = [platform.tenant(number) for number in range(count)]
        async with simulated_node(kube, status):
            bare = await make_bare(kube, script, tenants, concurrency)
            await erase_bare(kube, script, tenants, concurrency)
            await asyncio.sleep(REST_SECONDS)
            ours = await make_tenants(kube, [tenant(number) for number in range(count)], concurrency)
            memory = await operator_memory(kube)
            await erase_tenants(kube)
    return [
        ["bare script", f"{bare:.1f} s", f"{count / bare:.2f}", "", ""],
        ["Vivero", f"{ours:.1f} s", f"{count / ours:.2f}", f"{bare / ours:.2f}", f"{memory:.0f} MiB"],
    ]


def main() -> None:
    options = arguments(__doc__ or "", tenants=1000, concurrency=12)
    rows = asyncio.run(measure(read_status(options.status), options.tenants, options.concurrency))
    print(f"\n{options.tenants} tenants, {options.concurrency} at once, pods simulated; {machine()}\n")
    print_table(["", "until all are ready", "tenants a second", "rate by the script's", "resident"], rows)


if __name__ == "__main__":
    main()
