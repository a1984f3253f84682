import json
import os
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from vivero_dev.assets import source_hash
from vivero_dev.errors import ComponentError
from vivero_dev.image_names import read_names
from vivero_dev.instance import Instance
from vivero_dev.native import base_image, containerd, contour, envoy, node
from vivero_dev.native import cluster as steps_module
from vivero_dev.native.base_image import LEFT_OUT
from vivero_dev.native.images import IMAGES, Builder
from vivero_dev.native.layout import Cluster
from vivero_dev.platform.kubectl import Kubectl, Object
from vivero_dev.processes import ProcessSpec, ProcessTable, Running
from vivero_dev.provider import CLUSTER_READY, IMAGES_READY, INGRESS_READY
from vivero_dev.steps import Step, run_steps, silently
from vivero_dev.store import Store


class Quiet:
    """A display that keeps nothing."""

    def started(self, step: str) -> None: ...

    def said(self, step: str, text: str) -> None: ...

    def finished(self, step: str, outcome: str, seconds: float) -> None: ...

    def failed(self, step: str, seconds: float) -> None: ...

    def progressed(self, share: float, left: float) -> None: ...


class Applied:
    """Stands for the API server."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.objects: list[Object] = []
        self.files: list[str] = []
        monkeypatch.setattr(Kubectl, "apply", self.apply)
        monkeypatch.setattr(Kubectl, "run", self.run)
        monkeypatch.setattr(Kubectl, "list", self.list)

    def apply(self, objects: Sequence[Object]) -> None:
        self.objects += objects

    def run(self, *arguments: str, **_: object) -> str:
        self.files += [word for word in arguments if word.startswith("--filename")]
        return ""

    def list(self, *_: object) -> list[Object]:
        ready = {"type": "Ready", "status": "True"}
        return [{"metadata": {"name": "vivero-unit"}, "status": {"conditions": [ready]}}]


@pytest.fixture
def applied(monkeypatch: pytest.MonkeyPatch) -> Applied:
    return Applied(monkeypatch)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of processes in the order of their start; nothing runs."""
    names: list[str] = []

    def ensure(_: ProcessTable, spec: ProcessSpec) -> Running:
        names.append(spec.name)
        return Running(spec.name, 1, 1)

    monkeypatch.setattr(ProcessTable, "ensure", ensure)
    return names


@pytest.mark.usefixtures("applied")
def test_the_steps_bring_up_every_program_each_after_what_it_needs(
    instance: Instance, started: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pause = tmp_path / "pause"
    pause.touch()
    monkeypatch.setattr(steps_module, "ensure_network", lambda _: "created")
    monkeypatch.setattr(steps_module, "ensure_cgroup", lambda _: None)
    monkeypatch.setattr(steps_module, "write_pause_archive", lambda *_: None)
    monkeypatch.setattr(steps_module, "load_image", lambda *_: True)
    monkeypatch.setattr(containerd, "run", lambda *_, **__: "")
    monkeypatch.setattr(steps_module, "containerd", lambda _: ProcessSpec("containerd", []))
    monkeypatch.setattr(steps_module, "envoy", lambda _: ProcessSpec("envoy", []))
    programs = Step("programs", lambda _: "unchanged")
    packages = Step("packages", lambda _: "unchanged")
    done = run_steps([programs, packages, *steps_module.cluster_steps(instance)], Quiet())
    names = [step.name for step in done]
    assert {CLUSTER_READY, INGRESS_READY} <= set(names)
    for earlier, later in (
        ("etcd", "kube-apiserver"),
        ("kube-apiserver", "kubelet"),
        ("containerd", "kubelet"),
        ("contour", "envoy"),
    ):
        assert started.index(earlier) < started.index(later)
    assert len(started) == 10
    assert instance.kubeconfig.exists()


def test_what_was_built_is_what_the_charts_get(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = ["x/operator:1"]
    monkeypatch.setattr(steps_module, "reference", lambda image: f"x/{image.name}:1")
    monkeypatch.setattr(steps_module, "loaded_images", lambda _: set(loaded))
    monkeypatch.setattr(Builder, "load", lambda _self, _cluster, name: loaded.append(name))
    step = steps_module.image_step(instance)
    assert step.name == IMAGES_READY
    assert step.run(silently) == "loaded"
    assert step.run(silently) == "unchanged"
    assert loaded == ["x/operator:1", "x/control-plane:1", "x/data-plane:1"], "each is loaded once"
    assert read_names(instance)["data-plane"] == "x/data-plane:1"


def test_what_is_cached_is_expected_to_take_no_time(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Builder, "missing", lambda _: list(IMAGES))
    monkeypatch.setattr(steps_module, "built_from", lambda: "")
    empty = {step.name: step.expected() for step in steps_module.download_steps(instance)}
    assert max(empty, key=lambda name: empty[name]) == "programs"
    monkeypatch.setattr(Builder, "missing", lambda _: [])
    monkeypatch.setattr(steps_module, "built_from", source_hash)
    monkeypatch.setattr(steps_module, "present", lambda *_: True)
    assert {step.expected() for step in steps_module.download_steps(instance)} == {1.0}


def test_contours_definitions_are_applied_once_for_each_version(cluster: Cluster, applied: Applied) -> None:
    contour.install_definitions(cluster)
    contour.install_definitions(cluster)
    assert len(applied.files) == 1
    assert applied.files[0].endswith("manifests/01-crds.yaml")
    assert "IngressClass" in [item["kind"] for item in applied.objects]


def test_an_image_is_imported_unless_it_is_there(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []

    def run(_component: str, command: list[object], **_: object) -> str:
        commands.append([str(word) for word in command])
        return "localhost/vivero/a:1\n" if "list" in command else ""

    monkeypatch.setattr(containerd, "run", run)
    assert not containerd.load_image(cluster, Path("/a.tar"), "localhost/vivero/a:1")
    assert containerd.load_image(cluster, Path("/b.tar"), "localhost/vivero/b:1")
    assert [words[-1] for words in commands if "import" in words] == ["/b.tar"]


def test_envoy_runs_as_nobody_with_its_folder_and_log_as_its_own(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    owners: dict[str, tuple[int, int]] = {}

    def write_bootstrap(_component: str, command: list[str], **_: object) -> str:
        Path(command[2]).write_text(json.dumps({"admin": {"path": command[5].removeprefix("--admin-address=")}}))
        return ""

    monkeypatch.setattr(Cluster, "volatile", tmp_path / "volatile")
    monkeypatch.setattr(envoy, "run", write_bootstrap)
    monkeypatch.setattr(os, "chown", lambda path, uid, gid: owners.update({Path(path).name: (uid, gid)}))
    spec = envoy.envoy(cluster)
    assert spec.user == envoy.USER
    assert spec.user.uid != 0
    assert {"tls.key", "envoy.json", "envoy.log"} <= set(owners)
    assert json.loads(spec.revision)["admin"]["path"] == "/mnt/admin.sock"
    assert (tmp_path / "volatile/envoy/tls.key").stat().st_mode & 0o077 == 0


def test_a_node_that_never_gets_ready_points_at_kubelets_log(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Kubectl, "list", lambda *_: [])
    monkeypatch.setattr(node, "NODE_SECONDS", 0.0)
    with pytest.raises(ComponentError, match="has not registered") as caught:
        node.wait_node_ready(cluster)
    assert caught.value.log == cluster.processes.log("kubelet")


def test_the_base_is_bootstrapped_in_a_mount_namespace_and_packed_without_ballast(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []

    def bootstrap(_component: str, command: list[object], **_: object) -> str:
        words = [str(word) for word in command]
        commands.append(words)
        root = next(Path(word) for word in words if word.endswith("/root"))
        for name in ("usr/local/bin", "usr/bin", LEFT_OUT[0]):
            (root / name).mkdir(parents=True)
        (root / LEFT_OUT[0] / "ballast").touch()
        return ""

    monkeypatch.setattr(base_image, "run_long", bootstrap)
    monkeypatch.setattr(base_image, "_mirror", list)
    entry = base_image.ensure_base(Store(tmp_path), tmp_path / "log")
    assert base_image.ensure_base(Store(tmp_path), tmp_path / "log") == entry
    assert len(commands) == 1
    assert commands[0][0] == "unshare"
    with tarfile.open(entry / base_image.ARCHIVE) as archive:
        names = archive.getnames()
    assert "./usr/local/bin/python" in names
    assert not any("ballast" in name for name in names)
