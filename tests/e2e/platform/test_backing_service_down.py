"""A backing service is away for a while: Tenants wait and say so, recover alone, and hold nobody else up."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from e2e.cluster import Kubectl, condition, status_of, tenant
from e2e.waiting import wait_until
from vivero_core.model import naming
from vivero_dev.commands import run
from vivero_dev.docker.compose import Compose
from vivero_dev.instance import Instance
from vivero_dev.native.provider import SERVICES
from vivero_dev.native.services import object_store
from vivero_dev.native.services.base import ServiceHost
from vivero_dev.providers import provider_for
from vivero_dev.steps import silently

pytestmark = pytest.mark.alone  # stops services that all tenants use

# The sample of every run; the minute is the full run's.
SAMPLE_SECONDS = 12
FULL_SECONDS = 60
RECOVERY_SECONDS = 60

# The process that goes away; the S3 server's TLS end stays, and has nobody behind it.
PROCESSES = {"s3": object_store.SERVER}
CASES = [
    ("mariadb", "DatabaseReady"),
    ("valkey", "CacheReady"),
    ("s3", "StorageReady"),
]


@contextmanager
def away(instance: Instance, service: str) -> Iterator[None]:
    """The service, stopped; back at the end whatever happened meanwhile."""
    stop, start = (in_container if provider_for(instance, "auto").name == "docker" else as_process)(instance, service)
    assert stop()
    try:
        yield
    finally:
        start()


def as_process(instance: Instance, service: str) -> tuple[Callable[[], object], Callable[[], object]]:
    host = ServiceHost.of(instance)
    return lambda: host.processes.stop(PROCESSES.get(service, service)), lambda: SERVICES[service](host, silently)


def in_container(instance: Instance, service: str) -> tuple[Callable[[], object], Callable[[], object]]:
    name = f"{Compose(instance).project}-{PROCESSES.get(service, service)}-1"
    return lambda: run("docker", ["docker", "stop", name]), lambda: run("docker", ["docker", "start", name])


@pytest.mark.parametrize("seconds", [SAMPLE_SECONDS, pytest.param(FULL_SECONDS, marks=pytest.mark.full)])
@pytest.mark.parametrize(("service", "aspect"), CASES)
def test_a_tenant_waits_with_a_clear_condition_and_recovers(
    instance: Instance,
    kubectl: Kubectl,
    apply: Callable[[dict[str, Any]], None],
    workspace: httpx.Client,
    platform: dict[str, Any],
    service: str,
    aspect: str,
    seconds: int,
) -> None:
    name, neighbour = f"waits-{service}", platform["demo_tenant"]["name"]
    before = restarts(kubectl, neighbour)
    with away(instance, service):
        begin = time.monotonic()
        apply(tenant(name))
        wait_until(lambda: condition(kubectl, name, aspect).get("status") == "False", 60, f"{aspect}=False")
        told = condition(kubectl, name, aspect)
        assert told["reason"].endswith("Unavailable")
        assert condition(kubectl, name, "Ready")["status"] == "False"
        time.sleep(max(0.0, seconds - (time.monotonic() - begin)))
    kubectl("wait", "--for=condition=Ready", f"tenant/{name}", f"--timeout={RECOVERY_SECONDS}s")
    wait_until(lambda: workspace.get("/readyz").status_code == 200, RECOVERY_SECONDS, "the neighbour's /readyz")
    # Not that it answers throughout: what is not ready is taken out of its Service, sooner or later.
    assert restarts(kubectl, neighbour) == before


def restarts(kubectl: Kubectl, name: str) -> dict[str, int]:
    """How often the container of each pod of a tenant was started again."""
    namespace = naming.namespace_name(status_of(kubectl, "tenant", name)["id"])
    pods = json.loads(kubectl("get", "pods", "-n", namespace, "-o", "json"))["items"]
    return {pod["metadata"]["name"]: pod["status"]["containerStatuses"][0]["restartCount"] for pod in pods}


def test_a_dead_database_server_holds_up_only_its_own_tenants(
    kubectl: Kubectl, apply: Callable[[dict[str, Any]], None]
) -> None:
    living = json.loads(kubectl("get", "vdb", "main", "-o", "json"))
    # A port of the same address on which nobody listens.
    dead = {**living, "metadata": {"name": "dead"}, "spec": {**living["spec"], "port": 9}}
    del dead["status"]
    apply(dead)
    apply(tenant("on-the-dead", databaseServer="dead"))
    try:
        apply(tenant("on-the-living", databaseServer="main"))
        kubectl("wait", "--for=condition=Ready", "tenant/on-the-living", "--timeout=60s")
        kubectl("wait", "--for=condition=DatabaseReady=False", "tenant/on-the-dead", "--timeout=60s")
        assert condition(kubectl, "on-the-dead", "DatabaseReady")["reason"] == "DatabaseUnavailable"
        assert condition(kubectl, "on-the-dead", "Ready")["status"] == "False"
    finally:
        # Back to life, so that the tenant can be erased; cordoned, or the pool would put its next spare there.
        alive = {"spec": {"port": living["spec"]["port"], "cordoned": True}}
        kubectl("patch", "vdb", "dead", "--type=merge", "-p", json.dumps(alive))
        kubectl("delete", "tenant", "on-the-dead", "--timeout=80s")
        wait_until(lambda: not used(kubectl, "dead"), 60, "the count of the server's tenants")


def used(kubectl: Kubectl, server: str) -> int:
    """How many tenants its status counts: as long as there are some, its deletion is refused."""
    count: int = status_of(kubectl, "vdb", server).get("tenants", 0)
    return count
