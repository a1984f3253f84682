"""A node whose pods are simulated by kwok: ready at once, gone at once, and answered for by one stand-in.

For counts of tenants that no two cores could run: everything is real (API
server, controllers, scheduler, MariaDB, Valkey, S3 server, ingress) except
that no container starts. Every simulated pod has the address of the stand-in,
which answers the operator's calls as a data plane would; the proofs it gives
are therefore none. While the node is there, the real one takes no new pods.
"""

import asyncio
import json
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

import pymysql
from bare_tenants import mariadb_connection
from vivero_core.backends.kube.client import KubeClient, Listing, Object
from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.follow import follow
from vivero_core.backends.kube.resources import LEASE, POD, Resource
from vivero_core.model import naming
from vivero_core.model.constants import LABEL_TENANT
from vivero_dev.instance import Instance, load_instance
from vivero_dev.native.layout import Cluster
from vivero_dev.native.tools import ensure_tool
from vivero_dev.steps import silently
from vivero_dev.testing.data_plane import answering
from vivero_operator.instance import APP_PORT

NODE = Resource("", "v1", "Node", "nodes", namespaced=False)
NAME = "simulated"
START_SECONDS = 60.0
STOP_SECONDS = 10.0


def instance_of(status: dict[str, Any]) -> Instance:
    """The platform that a status file describes."""
    found = load_instance(Path(status["kubeconfig"]).parent.name)
    if found is None:
        raise SystemExit("the status file describes no platform of this machine")
    return found


def _stage(name: str, kind: str, when: list[dict[str, Any]], then: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Stage",
        "metadata": {"name": name},
        "spec": {
            "resourceRef": {"apiGroup": "v1", "kind": kind},
            "selector": {"matchExpressions": when},
            "next": then,
        },
    }


def _is(path: str, operator: str, *values: str) -> dict[str, Any]:
    return {"key": path, "operator": operator} | ({"values": list(values)} if values else {})


READY = '.status.conditions.[] | select( .type == "Ready" ) | .status'
DELETED = ".metadata.deletionTimestamp"
# kwok's templates; ADDRESS is filled in here.
NODE_STATUS = """
conditions:
- {type: Ready, status: "True", reason: Simulated, message: "by kwok", lastHeartbeatTime: {{ Now | Quote }}}
addresses:
- {type: InternalIP, address: ADDRESS}
allocatable: {cpu: 1k, memory: 1Ti, pods: 5k}
capacity: {cpu: 1k, memory: 1Ti, pods: 5k}
phase: Running
"""
POD_STATUS = """
phase: Running
hostIP: ADDRESS
podIP: ADDRESS
podIPs: [{ip: ADDRESS}]
startTime: {{ Now | Quote }}
conditions:
{{ range $type := list "Initialized" "ContainersReady" "Ready" }}
- {type: {{ $type }}, status: "True", lastTransitionTime: {{ Now | Quote }}}
{{ end }}
containerStatuses:
{{ range .spec.containers }}
- {name: {{ .name }}, image: {{ .image | Quote }}, imageID: "", ready: true, started: true, restartCount: 0,
   state: {running: {startedAt: {{ Now | Quote }}}}}
{{ end }}
"""


def stages(address: str) -> list[dict[str, Any]]:
    """What becomes of the simulated node and its pods."""
    node, pod = (template.replace("ADDRESS", address) for template in (NODE_STATUS, POD_STATUS))
    return [
        _stage("node-ready", "Node", [_is(READY, "NotIn", "True")], {"statusTemplate": node}),
        _stage(
            "pod-ready", "Pod", [_is(DELETED, "DoesNotExist"), _is(READY, "NotIn", "True")], {"statusTemplate": pod}
        ),
        _stage("pod-gone", "Pod", [_is(DELETED, "Exists")], {"delete": True}),
    ]


@asynccontextmanager
async def _cordoned(kube: KubeClient, name: str) -> AsyncIterator[None]:
    await kube.patch(NODE, name, {"spec": {"unschedulable": True}})
    try:
        yield
    finally:
        await kube.patch(NODE, name, {"spec": {"unschedulable": None}})


@asynccontextmanager
async def _node(kube: KubeClient, instance: Instance) -> AsyncIterator[None]:
    # Through kubectl: the operator's client makes no nodes.
    metadata = {"name": NAME, "annotations": {"kwok.x-k8s.io/node": "fake"}}
    Cluster(instance).kubectl.apply([{"apiVersion": "v1", "kind": "Node", "metadata": metadata}])
    try:
        async with asyncio.timeout(START_SECONDS):
            while not await _ready(kube):  # noqa: ASYNC110  kwok tells nobody
                await asyncio.sleep(0.2)
        yield
    finally:
        await _forget(kube, NODE, None)
        await _forget(kube, LEASE, "kube-node-lease")


async def _forget(kube: KubeClient, resource: Resource, namespace: str | None) -> None:
    with suppress(KubeNotFoundError):
        found = await kube.get(resource, NAME, namespace)
        await kube.delete(resource, NAME, namespace, uid=found["metadata"]["uid"])


async def _ready(kube: KubeClient) -> bool:
    conditions = (await kube.get(NODE, NAME)).get("status", {}).get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


@asynccontextmanager
async def _kwok(instance: Instance, kubeconfig: Path, address: str) -> AsyncIterator[None]:
    log = instance.folder("logs") / "kwok.log"
    program = await asyncio.to_thread(ensure_tool, instance.cache_dir, "kwok", log, silently) / "kwok"
    with tempfile.TemporaryDirectory() as folder, log.open("ab") as out:
        config = Path(folder) / "stages.yaml"
        config.write_text("\n---\n".join(json.dumps(stage) for stage in stages(address)))
        command: list[str | Path] = [program, "--kubeconfig", kubeconfig, "--config", config, "--node-ip", address]
        selector = "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake"
        process = subprocess.Popen(  # noqa: S603, ASYNC220  our own build, started once
            [*command, selector, "--node-lease-duration-seconds", "40"], stdout=out, stderr=out
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)


async def _make_tables(kube: KubeClient, status: dict[str, Any]) -> None:
    """What a real pod does first: a proven tenant whose schema has no table is one whose data is lost. Until cancelled."""
    with closing(await asyncio.to_thread(mariadb_connection, status)) as connection:
        lacking: set[str] = set()
        async for news in follow(kube, POD, _tenant_of, label_selector=LABEL_TENANT, metadata_only=True):
            if isinstance(news, Listing):
                continue  # real pods, which were there before
            lacking |= {news.object} if news.type == "ADDED" else set()
            # The schema may come after the pod; the next word of any pod is soon enough.
            lacking -= {ident for ident in lacking if await asyncio.to_thread(_make_table, connection, ident)}


def _tenant_of(pod: Object) -> str:
    return str(pod["metadata"]["labels"].get(LABEL_TENANT, ""))


def _make_table(connection: "pymysql.Connection[Any]", ident: str) -> bool:
    """Whether the schema was there."""
    with connection.cursor() as cursor, suppress(pymysql.err.OperationalError):
        cursor.execute(f"CREATE TABLE IF NOT EXISTS `{naming.database_name(ident)}`.`simulated` (`id` INT)")
        return True
    return False


@asynccontextmanager
async def simulated_node(kube: KubeClient, status: dict[str, Any]) -> AsyncIterator[None]:
    """New pods go to the simulated node until the block ends; no pod may be left on it then."""
    instance = instance_of(status)
    address = str(instance.addresses.host.ip)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(answering(address, APP_PORT))
        await stack.enter_async_context(_kwok(instance, Path(status["kubeconfig"]), address))
        await stack.enter_async_context(_node(kube, instance))
        await stack.enter_async_context(_cordoned(kube, instance.netns))
        tables = asyncio.create_task(_make_tables(kube, status))
        stack.callback(tables.cancel)
        yield
        left = await kube.list(POD, field_selector=f"spec.nodeName={NAME}")
        if left.items:
            raise RuntimeError(f"{len(left.items)} pods are left on the simulated node")
