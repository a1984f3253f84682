"""Tears a cluster down completely; only its data stays until `reset`."""

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from vivero_dev.instance import Instance
from vivero_dev.native.cgroups import cgroup_leftovers, kill_pods, remove_cgroup
from vivero_dev.native.layout import Cluster
from vivero_dev.native.mounts import mounts_below, unmount_below
from vivero_dev.native.network import network_leftovers, remove_network
from vivero_dev.processes import Running, stop_process
from vivero_dev.steps import Say

# Stopped first, so that nothing creates pods or routes during teardown.
AGENTS = ("envoy", "contour", "coredns", "kubelet", "kube-proxy", "kube-scheduler", "kube-controller-manager")
SERVERS = ("containerd", "kube-apiserver", "etcd")
# Paths fixed in the programs: container logs by Kubernetes name, and results of
# network plugins.
CONTAINER_LOGS = Path("/var/log/containers")
NETWORK_RESULTS = Path("/var/lib/cni/results")
RESULT_NAME = re.compile(r"-(?P<container>[0-9a-f]{64})-eth0")
NAMESPACES = Path("/run/netns")


def stop_cluster(instance: Instance, say: Say) -> None:
    """Stop programs and pods, then remove mounts, namespace, routes, cgroups and sockets. Idempotent."""
    cluster = Cluster(instance)
    say("stopping agents")
    _stop(cluster, AGENTS)
    say("ending pods")
    kill_pods(instance)
    _stop(cluster, SERVERS)
    # Shims survive containerd by design, so that it can be restarted.
    for stray in _own_strays(cluster):
        stop_process(stray, grace=0)
    say("removing mounts, network and cgroups")
    _remove_files(cluster)
    remove_cgroup(instance)
    remove_network(instance)
    _forget_namespaces()


def cluster_leftovers(instance: Instance) -> list[str]:
    """Descriptions of what is still on the machine; empty after a clean `down`."""
    cluster = Cluster(instance)
    processes = [f"process {stray.pid} ({stray.name})" for stray in cluster.processes.strays()]
    mounts = [f"mount {point}" for point in mounts_below(instance.state_dir, cluster.volatile)]
    folders = [f"folder {cluster.volatile}"] if cluster.volatile.exists() else []
    return [*processes, *mounts, *folders, *network_leftovers(instance), *cgroup_leftovers(instance)]


def _stop(cluster: Cluster, names: Iterable[str]) -> None:
    for name in names:
        cluster.processes.stop(name)


def _own_strays(cluster: Cluster) -> list[Running]:
    return [stray for stray in cluster.processes.strays() if stray.name.startswith("containerd-shim")]


def _remove_files(cluster: Cluster) -> None:
    """Remove sockets, links and address leases, which would not survive a reboot either."""
    for socket in _shim_sockets(cluster):
        socket.unlink(missing_ok=True)
    unmount_below(cluster.folder, cluster.volatile)
    if cluster.volatile.exists():
        shutil.rmtree(cluster.volatile)
    for result in NETWORK_RESULTS.glob(f"{cluster.instance.netns}-*"):
        # Exact matches: another instance's name may begin with this one's.
        match = RESULT_NAME.fullmatch(result.name.removeprefix(cluster.instance.netns))
        if match:
            result.unlink(missing_ok=True)
            (NETWORK_RESULTS / f"cni-loopback-{match['container']}-lo").unlink(missing_ok=True)
    for link in CONTAINER_LOGS.glob("*.log"):
        if link.is_symlink() and cluster.folder in link.readlink().parents:
            link.unlink()


def _shim_sockets(cluster: Cluster) -> list[Path]:
    addresses = cluster.volatile.glob("containerd/io.containerd.runtime.v2.task/*/*/address")
    return [Path(file.read_text().strip().removeprefix("unix://")) for file in addresses]


def _forget_namespaces() -> None:
    """`ip netns` bind-mounts the folder of all namespaces: unmount it after the last one."""
    if NAMESPACES in mounts_below(NAMESPACES) and not any(NAMESPACES.iterdir()):
        unmount_below(NAMESPACES)
        NAMESPACES.rmdir()
