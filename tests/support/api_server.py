"""A second API server with its etcd, empty and without nodes, for what would get into the test platform's way.

The same programs as the native provider's, on loopback, in a folder that goes away. Nothing runs in it: no controllers,
no scheduler, no kubelet. What it takes and refuses is what a real cluster does.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vivero_dev.certificates import Authority, KeyPair
from vivero_dev.instance import FALLBACK_PORTS, Instance, cache_root, port_is_free
from vivero_dev.native.kubeconfig import kubeconfig
from vivero_dev.native.probes import http_answers, https_answers
from vivero_dev.native.tools import ensure_tool, program
from vivero_dev.platform.kubectl import Kubectl
from vivero_dev.processes import ProcessSpec, ProcessTable
from vivero_dev.steps import silently

LOOPBACK = "127.0.0.1"
START_SECONDS = 60.0
STOP_SECONDS = 5.0


@dataclass(frozen=True)
class ApiServer:
    """How to reach it as its administrator."""

    kubectl: Kubectl
    helm: Path


@contextmanager
def empty_api_server(folder: Path) -> Iterator[ApiServer]:
    """Started in a few seconds, and gone at the end whatever happened."""
    for tool in ("etcd", "kubernetes", "helm"):
        ensure_tool(cache_root(), tool, folder / f"{tool}.log", silently)
    instance = Instance("second-api-server", folder, cache_root(), 0, {})
    processes = ProcessTable(instance)
    etcd, peers, secure = free_ports(3)
    authority = Authority(folder / "authority")
    admin = authority.issue("admin", organisations=["system:masters"])
    try:
        processes.ensure(_etcd(folder, etcd, peers))
        processes.ensure(_api_server(authority, admin, etcd, secure))
        file = folder / "kubeconfig"
        file.write_text(kubeconfig(f"https://{LOOPBACK}:{secure}", authority.certificate, admin))
        yield ApiServer(Kubectl(program(cache_root(), "kubectl"), file), program(cache_root(), "helm"))
    finally:
        for name in ("kube-apiserver", "etcd"):
            processes.stop(name, grace=STOP_SECONDS)


def free_ports(count: int) -> list[int]:
    """Drawn from the far half, so that tests beside each other do not take the same; instances get the near ones."""
    far = FALLBACK_PORTS[len(FALLBACK_PORTS) // 2 :]
    free = (port for port in random.sample(far, len(far)) if port_is_free(port))
    return [next(free) for _ in range(count)]


def _etcd(folder: Path, port: int, peers: int) -> ProcessSpec:
    clients, members = f"http://{LOOPBACK}:{port}", f"http://{LOOPBACK}:{peers}"
    return ProcessSpec(
        name="etcd",
        command=[
            str(program(cache_root(), "etcd")),
            f"--data-dir={folder / 'data'}",
            f"--listen-client-urls={clients}",
            f"--advertise-client-urls={clients}",
            f"--listen-peer-urls={members}",
            f"--initial-advertise-peer-urls={members}",
            f"--initial-cluster=default={members}",
            "--unsafe-no-fsync",
            "--log-level=warn",
        ],
        ready=lambda: http_answers(LOOPBACK, port, "/health"),
        deadline=START_SECONDS,
    )


def _api_server(authority: Authority, admin: KeyPair, etcd: int, port: int) -> ProcessSpec:
    server = authority.issue("server", [LOOPBACK])
    tokens = authority.issue("service-accounts")
    return ProcessSpec(
        name="kube-apiserver",
        command=[
            str(program(cache_root(), "kube-apiserver")),
            f"--bind-address={LOOPBACK}",
            f"--secure-port={port}",
            # The Service `kubernetes` cannot lead to loopback, and nothing here uses it.
            "--endpoint-reconciler-type=none",
            f"--etcd-servers=http://{LOOPBACK}:{etcd}",
            "--service-cluster-ip-range=10.255.0.0/24",
            "--authorization-mode=RBAC",
            # Pods are never started here; the controller that makes the account they need does not run.
            "--disable-admission-plugins=ServiceAccount",
            f"--client-ca-file={authority.certificate}",
            f"--tls-cert-file={server.certificate}",
            f"--tls-private-key-file={server.key}",
            "--service-account-issuer=https://second.example",
            f"--service-account-key-file={tokens.certificate}",
            f"--service-account-signing-key-file={tokens.key}",
        ],
        ready=lambda: https_answers(LOOPBACK, port, "/readyz", authority.certificate, admin),
        deadline=START_SECONDS,
    )
