"""The whole docker provider, run as people run it: kind with a node of our own, from `up` to `reset`.

By order, because it takes minutes. It comes before the Compose half, whose daemon takes this
process into a network from which nothing can be fetched.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from support import kind_node
from support.docker_daemon import Daemon, inside, own_daemon
from support.docker_images import image_names, load_images
from vivero_dev.commands import run, run_long
from vivero_dev.docker.compose import NETWORK
from vivero_dev.localhost import local_client
from vivero_dev.probing import until

pytestmark = pytest.mark.full

INSTANCE = "whole"
NODE = f"vivero-{INSTANCE}-control-plane"
SERVICES = {f"vivero-{INSTANCE}-{service}-1" for service in ("mariadb", "valkey", "s3", "versitygw", "mail")}
PODS = ("coredns", "etcd", "kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler")
# Much longer than a busy machine needs.
READY_SECONDS = 300.0


@dataclass(frozen=True)
class Machine:
    """One with Docker, where nothing can be pulled."""

    daemon: Daemon
    folder: Path
    environment: dict[str, str]

    def vivero(self, *words: str) -> str:
        """What it says; a failure names its log, which pytest keeps."""
        log = self.folder / f"{words[0]}.log"
        begin = log.stat().st_size if log.exists() else 0
        command = [sys.executable, "-m", "vivero_dev.cli", *words, f"--instance={INSTANCE}"]
        with inside(self.daemon.namespace):
            run_long("vivero", command, log=log, environment=self.environment)
        return log.read_bytes()[begin:].decode()

    def kubectl(self, *words: str) -> dict[str, Any]:
        kubeconfig = self.folder / "state/vivero" / INSTANCE / "kubeconfig"
        command = ["kubectl", f"--kubeconfig={kubeconfig}", *words, "--output=json"]
        with inside(self.daemon.namespace):
            found: dict[str, Any] = json.loads(
                run("kubectl", command, environment=self.environment, timeout=READY_SECONDS + 60)
            )
        return found

    def listed(self, *words: str) -> set[str]:
        return set(self.daemon.docker(*words).split())


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("kind")
    source = kind_node.prepare(folder)
    with own_daemon(folder, "kind", *kind_node.runtime(folder)) as daemon:
        load_images(daemon, image_names(), folder)
        kind_node.build_node(daemon, source)
        path = f"{kind_node.programs(source, folder)}:{daemon.environment['PATH']}"
        state = {"XDG_STATE_HOME": str(folder / "state"), "COLUMNS": "300", "PATH": path}
        yield Machine(daemon, folder, daemon.environment | state)


@pytest.fixture(scope="module")
def platform(machine: Machine) -> Machine:
    """It is up, which ends with a signup that is ready."""
    machine.vivero("up", "--provider=docker", "--pool=0")
    return machine


def test_a_workspace_answers_through_the_ingress(platform: Machine) -> None:
    assert platform.listed("ps", "--format={{.Names}}") == {NODE, *SERVICES}
    assert the_tenant(platform)
    await_login(platform)


def test_the_pods_of_kubernetes_stay(platform: Machine) -> None:
    """CoreDNS, above all, ends where its upstream leads back to it."""
    pods = platform.kubectl("get", "pods", "--namespace=kube-system")["items"]
    containers = [one for pod in pods for one in pod["status"]["containerStatuses"]]
    assert {one["name"]: one["restartCount"] for one in containers} == dict.fromkeys(PODS, 0)


def test_tenants_outlive_down(platform: Machine) -> None:
    tenant = the_tenant(platform)
    platform.vivero("down")
    assert platform.listed("ps", "--format={{.Names}}") == set()
    assert platform.listed("ps", "--all", "--format={{.Names}}") == {NODE}
    platform.vivero("up", "--pool=0")
    assert the_tenant(platform) == tenant
    await_login(platform)


def test_reset_leaves_nothing_but_the_network_that_clusters_share(platform: Machine) -> None:
    """Which kind itself never removes. The last test here."""
    platform.vivero("reset")
    assert platform.listed("ps", "--all", "--quiet") == set()
    assert platform.listed("volume", "ls", "--quiet") == set()
    assert platform.listed("network", "ls", "--format={{.Name}}") == {"bridge", "host", "none", NETWORK}
    assert not (platform.folder / "state/vivero" / INSTANCE).exists()


def the_tenant(machine: Machine) -> str:
    """The uid of the only one, once it is ready."""
    waited = machine.kubectl(
        "wait", "tenants.vivero.dev", "--all", "--for=condition=Ready", f"--timeout={READY_SECONDS:.0f}s"
    )
    uid: str = waited["metadata"]["uid"]
    return uid


def await_login(machine: Machine) -> None:
    """Until its owner logs in and is known, through the ingress."""
    platform = json.loads(machine.vivero("status", "--json"))
    demo = platform["demo_tenant"]
    login = {"email": demo["email"], "password": demo["password"]}

    def problem() -> str | None:
        try:
            answer = client.post(f"{demo['url']}/api/v1/auth/login", json=login).raise_for_status()
            bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
            known = client.get(f"{demo['url']}/api/v1/me", headers=bearer).raise_for_status().json()["email"]
        except httpx.HTTPError as error:
            return str(error)
        return None if known == demo["email"] else f"known as {known}"

    with inside(machine.daemon.namespace), local_client(Path(platform["ca"])) as client:
        until(demo["url"], problem, READY_SECONDS)
