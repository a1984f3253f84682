"""The controller-runtime operator of peers/controller_runtime, run beside ours for as many tenants."""

import asyncio
import tempfile
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import departures
import tenant_objects
import yaml
from any_kind import AnyKindClient
from arrivals import name_with, until_all
from bare_tenants import each
from peer_builds import PEERS, build
from vivero_core.backends.kube.client import Object
from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import CUSTOM_RESOURCE_DEFINITION, NAMESPACE, Resource

NAME = "controller_runtime"
TENANT = Resource("bench.vivero.dev", "v1", "BenchTenant", "benchtenants", namespaced=False)
START_SECONDS = 60.0
STOP_SECONDS = 15.0


def _tenant(number: int) -> Object:
    return {"metadata": {"name": f"peer-{number}"}, "spec": {"slug": f"peer-{number}", "plan": "trial"}}


@asynccontextmanager
async def running(kube: AnyKindClient, status: dict[str, Any], concurrency: int) -> AsyncIterator[Process]:
    """The peer with its definition, on this machine."""
    program = await asyncio.to_thread(build, NAME)
    definition: Object = yaml.safe_load((PEERS / NAME / "crd.yaml").read_text())
    with tempfile.TemporaryDirectory() as folder:
        objects, backends, log = (Path(folder) / name for name in ("objects.json", "backends.json", "log"))
        tenant_objects.write(objects, await tenant_objects.of_cluster(kube))
        tenant_objects.write(backends, tenant_objects.backends(status))
        await kube.apply(definition)
        await asyncio.sleep(2)  # until its kind is served
        command = [program, "--kubeconfig", status["kubeconfig"], "--objects", objects, "--backends", backends]
        with log.open("wb") as out:
            process = await asyncio.create_subprocess_exec(
                *map(str, command), "--concurrency", str(concurrency), stdout=out, stderr=out
            )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
            name = definition["metadata"]["name"]
            with suppress(KubeNotFoundError):
                found = await kube.get(CUSTOM_RESOURCE_DEFINITION, name)
                await kube.delete(CUSTOM_RESOURCE_DEFINITION, name, uid=found["metadata"]["uid"])


async def make(kube: AnyKindClient, count: int, concurrency: int) -> float:
    """Seconds until the peer has made all of them Ready."""
    bodies = [_tenant(number) for number in range(count)]
    names = {body["metadata"]["name"] for body in bodies}
    begin = time.perf_counter()
    watching = asyncio.create_task(until_all(kube, TENANT, names, name_with("Ready")))
    await each(bodies, partial(kube.create_as, TENANT), concurrency)
    await watching
    return time.perf_counter() - begin


async def erase(kube: AnyKindClient) -> None:
    """Waits until the peer has taken everything away."""
    await departures.erase(kube, TENANT, lambda _: True)
    await departures.until_none(kube, NAMESPACE, lambda item: "deletionTimestamp" in item["metadata"])
