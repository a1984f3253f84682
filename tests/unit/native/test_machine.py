import os
import shutil
import signal
import subprocess
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from vivero_dev.errors import ComponentError
from vivero_dev.instance import Instance
from vivero_dev.native import cgroups, mounts, network, node, packages, probes, teardown
from vivero_dev.native.layout import Cluster

MOUNTINFO = """\
22 27 0:21 / /proc rw,relatime - proc proc rw
40 27 254:0 / /state/a/kubelet rw - ext4 /dev/vda rw
41 40 0:50 / /state/a/kubelet/pods/x\\040y rw - tmpfs tmpfs rw
42 27 0:51 / /state/ab rw - tmpfs tmpfs rw
"""


def test_mounts_below_a_folder_come_innermost_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "mountinfo"
    file.write_text(MOUNTINFO)
    monkeypatch.setattr(mounts, "MOUNTINFO", file)
    assert mounts.mounts_below(Path("/state/a")) == [Path("/state/a/kubelet/pods/x y"), Path("/state/a/kubelet")]


def test_a_busy_mount_is_taken_away_lazily(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "mountinfo"
    file.write_text(MOUNTINFO)
    commands: list[list[str]] = []

    def run(component: str, command: list[object], **_: object) -> str:
        commands.append([str(word) for word in command])
        if "--lazy" not in command:
            raise ComponentError(component, "target is busy")
        return ""

    monkeypatch.setattr(mounts, "MOUNTINFO", file)
    monkeypatch.setattr(mounts, "run", run)
    mounts.unmount_below(Path("/state/ab"))
    assert commands == [["umount", "/state/ab"], ["umount", "--lazy", "/state/ab"]]


@pytest.fixture
def hierarchy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two hierarchies of version 1 as plain folders."""
    root = tmp_path / "cgroup"
    for name in ("cpuset", "memory"):
        (root / name).mkdir(parents=True)
        (root / name / "cgroup.procs").touch()
    (root / "cpuset" / "cgroup.clone_children").write_text("0")
    (root / "cpu").symlink_to(root / "memory")
    monkeypatch.setattr(cgroups, "ROOT", root)
    return root


def test_version_1_gets_a_group_in_every_hierarchy(instance: Instance, hierarchy: Path) -> None:
    cgroups.ensure_cgroup(instance)
    cgroups.ensure_cgroup(instance)
    assert (hierarchy / "cpuset" / "cgroup.clone_children").read_text() == "1"
    assert len(cgroups.cgroup_leftovers(instance)) == 2
    (hierarchy / "memory" / instance.cgroup / "kubepods").mkdir()
    cgroups.remove_cgroup(instance)
    assert cgroups.cgroup_leftovers(instance) == []


@pytest.mark.parametrize(("name", "thread"), [("cpu.shares", 1024), ("cpu.weight", 100)])
def test_pods_weigh_as_much_as_a_few_busy_threads(instance: Instance, hierarchy: Path, name: str, thread: int) -> None:
    group = hierarchy / "cpuset" / instance.cgroup
    group.mkdir()
    (group / name).write_text(str(thread))
    cgroups.ensure_cgroup(instance)
    assert int((group / name).read_text()) == thread * cgroups.PODS_WEIGHT >= 2 * thread


def test_version_2_hands_its_controllers_down(
    instance: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "unified"
    group = root / instance.cgroup
    group.mkdir(parents=True)
    for folder in (root, group):
        (folder / "cgroup.controllers").write_text("cpu memory")
    monkeypatch.setattr(cgroups, "ROOT", root)
    cgroups.ensure_cgroup(instance)
    assert (group / "cgroup.subtree_control").read_text() == "+cpu +memory"


def test_pods_end_by_a_signal_to_whoever_is_in_the_groups(
    instance: Instance, hierarchy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = hierarchy / "memory" / instance.cgroup
    group.mkdir()
    child = subprocess.Popen(["/bin/sleep", "60"])
    (group / "cgroup.procs").write_text(f"{child.pid}\n0\n")
    real = os.kill
    sent: list[int] = []

    def kill(pid: int, number: int) -> None:
        sent.append(number)
        real(pid, number)
        child.wait(5)
        (group / "cgroup.procs").write_text("")

    monkeypatch.setattr(os, "kill", kill)
    cgroups.kill_pods(instance)
    assert sent == [signal.SIGTERM]


def test_a_process_that_nothing_ends_is_named(
    instance: Instance, hierarchy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = hierarchy / "memory" / instance.cgroup
    group.mkdir()
    (group / "cgroup.procs").write_text("4194304\n")
    monkeypatch.setattr(cgroups, "TERM_SECONDS", 0.0)
    monkeypatch.setattr(cgroups, "KILL_SECONDS", 0.0)
    with pytest.raises(ComponentError, match="4194304"):
        cgroups.kill_pods(instance)


class Machine:
    """Records commands instead of running them."""

    def __init__(self, routes: str = "[]") -> None:
        self.commands: list[str] = []
        self.routes = routes

    def run(self, _component: str, command: list[object], **_: object) -> str:
        line = " ".join(str(word) for word in command)
        self.commands.append(line)
        return self.routes if "route" in line and "json" in line else ""


def test_the_network_touches_only_the_instances_own_names(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine()
    monkeypatch.setattr(network, "run", machine.run)
    assert network.ensure_network(instance) == "created"
    on_host = [line for line in machine.commands if not line.startswith("nsenter --net=/var/run/netns/vivero-unit")]
    assert all("vivero" in line for line in on_host)
    assert not any("iptables" in line or "sysctl" in line for line in on_host)
    assert f"ip route replace {instance.addresses.pods} via 10.213.0.14 dev vivero3h" in on_host


@pytest.fixture
def _own_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever platforms come up on this machine meanwhile: their interfaces are numbered like ours."""
    monkeypatch.setattr(network, "_link_exists", lambda _: False)


@pytest.mark.usefixtures("_own_links")
def test_routes_that_stayed_are_named(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    routes = f'[{{"dst": "{instance.addresses.pods}"}}, {{"dst": "default"}}]'
    monkeypatch.setattr(network, "run", Machine(routes).run)
    assert network.network_leftovers(instance) == [f"route to {instance.addresses.pods}"]


@pytest.mark.usefixtures("_own_links")
def test_removing_a_network_that_is_not_there_does_nothing(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine()
    monkeypatch.setattr(network, "run", machine.run)
    network.remove_network(instance)
    assert machine.commands == []


@pytest.fixture
def apt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    machine = Machine()
    monkeypatch.setattr(packages, "run_long", machine.run)
    monkeypatch.setattr(packages, "POLICY", tmp_path / "policy-rc.d")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    return machine


def test_only_missing_packages_are_installed(apt: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "is_installed", lambda name: name == "runc")
    assert packages.ensure_packages(["runc", "buildah"], tmp_path / "log") == ["buildah"]
    assert apt.commands[-1].endswith("--no-install-recommends buildah")
    assert "--no-remove" in apt.commands[-1]
    assert not packages.POLICY.exists()


def test_nothing_missing_runs_nothing(apt: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "is_installed", lambda _: True)
    assert packages.ensure_packages(["runc"], tmp_path / "log") == []
    assert apt.commands == []


@pytest.mark.usefixtures("apt")
def test_a_vendors_container_runtime_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "is_installed", lambda _: False)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    assert packages.ensure_packages(["containerd", "runc"], tmp_path / "log") == []


@pytest.mark.usefixtures("apt")
def test_services_are_forbidden_to_start_while_packages_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    monkeypatch.setattr(packages, "is_installed", lambda _: False)
    monkeypatch.setattr(packages, "run_long", lambda *_, **__: seen.append(packages.POLICY.exists()))
    packages.ensure_packages(["mariadb-server"], tmp_path / "log")
    assert seen == [False, True]


@pytest.mark.usefixtures("apt")
def test_without_root_the_missing_packages_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "is_installed", lambda _: False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ComponentError, match="buildah"):
        packages.ensure_packages(["buildah"], tmp_path / "log")


def a_node(status: str, message: str = "") -> dict[str, object]:
    condition = {"type": "Ready", "status": status, "message": message}
    return {"metadata": {"name": "n"}, "status": {"conditions": [condition]}}


def test_what_keeps_a_node_from_being_ready() -> None:
    assert node.problem([], "n") == "node n has not registered"
    assert node.problem([{"metadata": {"name": "n"}}], "n") == "node says nothing yet"
    assert node.problem([a_node("False", "no network plugin")], "n") == "no network plugin"
    assert node.problem([a_node("True")], "n") is None


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/ok" else 503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


def test_a_probe_is_an_answer_and_never_an_exception(tmp_path: Path) -> None:
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        port = server.server_address[1]
        assert probes.http_answers("127.0.0.1", port, "/ok")
        assert not probes.http_answers("127.0.0.1", port, "/other")
        server.shutdown()
        thread.join()
    assert not probes.http_answers("127.0.0.1", port, "/ok")
    assert not probes.unix_socket_accepts(tmp_path / "none.sock")


def test_down_removes_sockets_links_and_leases_of_this_instance_alone(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    volatile = tmp_path / "volatile"
    socket = tmp_path / "shim.sock"
    socket.touch()
    address = volatile / "containerd/io.containerd.runtime.v2.task/k8s.io/abc/address"
    address.parent.mkdir(parents=True)
    address.write_text(f"unix://{socket}")
    logs, results = tmp_path / "logs", tmp_path / "results"
    logs.mkdir()
    results.mkdir()
    (logs / "mine.log").symlink_to(cluster.folder / "pod-logs/a/0.log")
    (logs / "other.log").symlink_to("/elsewhere/0.log")
    mine, other = "a" * 64, "b" * 64
    kept = {f"vivero-unit-two-{other}-eth0", f"cni-loopback-{other}-lo"}
    for name in {f"vivero-unit-{mine}-eth0", f"cni-loopback-{mine}-lo"} | kept:
        (results / name).touch()
    monkeypatch.setattr(Cluster, "volatile", volatile)
    monkeypatch.setattr(teardown, "CONTAINER_LOGS", logs)
    monkeypatch.setattr(teardown, "NETWORK_RESULTS", results)
    monkeypatch.setattr(teardown, "NAMESPACES", tmp_path / "netns")
    monkeypatch.setattr(teardown, "remove_network", lambda _: None)
    monkeypatch.setattr(teardown, "network_leftovers", lambda _: [])
    monkeypatch.setattr(teardown, "cgroup_leftovers", lambda _: [])
    said: list[str] = []

    def say(text: str, share: float = 0.0) -> None:
        assert 0 <= share <= 1
        said.append(text)

    teardown.stop_cluster(cluster.instance, say)
    assert not socket.exists()
    assert not volatile.exists()
    assert [file.name for file in logs.iterdir()] == ["other.log"]
    assert {file.name for file in results.iterdir()} == kept
    assert teardown.cluster_leftovers(cluster.instance) == []
    assert said
