import json
import re
import shutil
import tarfile
from pathlib import Path

import pytest
from vivero_dev.errors import ComponentError
from vivero_dev.native import base_image, images, pause
from vivero_dev.native.containerd import PAUSE_IMAGE
from vivero_dev.native.layout import Cluster
from vivero_dev.steps import silently


def test_a_reference_changes_with_the_code_and_not_with_bytecode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "ROOT", tmp_path)
    image = images.Image("thing", "thing", ("thing/code",))
    code = tmp_path / "thing" / "code"
    code.mkdir(parents=True)
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "thing.txt").write_text("a==1")
    (tmp_path / "thing" / "Containerfile").write_text("FROM x")
    (code / "main.py").write_text("1")
    first = images.reference(image)
    (code / "__pycache__").mkdir()
    (code / "__pycache__" / "main.pyc").write_text("1")
    assert images.reference(image) == first
    (code / "notes.md").write_text("1")
    assert images.reference(image) == first
    (code / "main.py").write_text("2")
    second = images.reference(image)
    assert second != first
    (code / "manual").mkdir()
    (code / "manual" / "README.md").write_text("1")
    assert images.reference(image) != second
    assert first.startswith("localhost/vivero/thing:")


@pytest.mark.parametrize("image", images.IMAGES, ids=lambda image: image.name)
def test_containerfiles_hold_what_the_hash_counts_and_run_as_nobody(image: images.Image) -> None:
    text = image.containerfile.read_text()
    for folder in image.code:
        assert f"COPY {folder} " in text
    for _, file in image.tools:
        assert f"COPY --from=database-tools /{file} /{file}\n" in text
    assert text.count("\nCOPY ") == len(image.code) + len(image.tools) + 1
    assert "USER 10001:10001" in text
    assert "--require-hashes" in text
    assert f"requirements/{image.name}.txt" in text


def test_the_builders_context_is_an_allow_list() -> None:
    lines = (images.ROOT / ".dockerignore").read_text().split()
    assert "*" in lines
    for image in images.IMAGES:
        assert all(f"!{folder}" in lines for folder in image.code)


class Builds:
    """Stands for buildah and containerd: what exists, and what was asked."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.calls: list[list[str]] = []

    def run(self, _component: str, command: list[object], **_options: object) -> str:
        words = [str(word) for word in command]
        self.calls.append(words)
        self.names |= {word.removeprefix("--tag=") for word in words if word.startswith("--tag=")}
        if "rmi" in words:
            self.names -= set(words[words.index("rmi") + 1 :])
        return "\n".join(sorted(self.names)) if "images" in words else ""

    def count(self, verb: str) -> int:
        return sum(verb in words for words in self.calls)


def test_an_unchanged_tree_builds_nothing_and_a_change_of_code_one_layer(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builds, loaded = Builds(), set[str]()
    cluster.instance.cache_dir.mkdir()
    monkeypatch.setattr(images, "run", builds.run)
    monkeypatch.setattr(images, "run_long", builds.run)
    monkeypatch.setattr(images, "load_image", lambda _cluster, _archive, name: loaded.add(name))
    monkeypatch.setattr(images, "install_packages", lambda *_: None)
    monkeypatch.setattr(images, "ensure_base", lambda *_: tmp_path / "base-1")
    package = tmp_path / "package"
    for _, file in images.IMAGES[0].tools:
        there = package / re.sub("^usr/lib/", "usr/lib/some-machine/", file)
        there.parent.mkdir(parents=True, exist_ok=True)
        there.touch()
    monkeypatch.setattr(images, "extracted", lambda *_: package)
    builder = images.Builder(cluster.instance.cache_dir, tmp_path / "log")
    image = images.IMAGES[0]

    assert builder.build(image, silently)
    name = images.reference(image)
    builder.load(cluster, name)
    assert (builds.count("build"), builds.count("push"), loaded) == (4, 1, {name})
    assert not builder.build(image, silently)
    assert (builds.count("build"), builds.count("push")) == (4, 1)

    monkeypatch.setattr(images, "reference", lambda _: "localhost/vivero/operator:changed")
    assert builder.build(image, silently)
    builder.load(cluster, images.reference(image))
    assert (builds.count("build"), builds.count("push")) == (5, 2)


def test_only_the_newest_builds_are_kept(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    builds = Builds()
    builds.names = {f"localhost/vivero/operator:{number}" for number in range(images.KEPT_BUILDS + 3)}
    cluster.instance.cache_dir.mkdir()
    monkeypatch.setattr(images, "run", builds.run)
    monkeypatch.setattr(images, "run_long", builds.run)
    monkeypatch.setattr(images.Builder, "_build", lambda *_: None)
    images.Builder(cluster.instance.cache_dir, tmp_path / "log").build(images.IMAGES[0], silently)
    assert len(builds.names) == images.KEPT_BUILDS


def test_a_second_instance_loads_without_building(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builds, loaded = Builds(), set[str]()
    cluster.instance.cache_dir.mkdir()
    builds.names.add(images.reference(images.IMAGES[1]))
    monkeypatch.setattr(images, "run", builds.run)
    monkeypatch.setattr(images, "run_long", builds.run)
    monkeypatch.setattr(images, "load_image", lambda _cluster, _archive, name: loaded.add(name))
    builder = images.Builder(cluster.instance.cache_dir, tmp_path / "log")
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    assert images.IMAGES[1] not in builder.missing()
    assert not builder.build(images.IMAGES[1], silently)
    builder.load(cluster, images.reference(images.IMAGES[1]))
    assert (builds.count("build"), builds.count("push")) == (0, 1)


@pytest.mark.parametrize(
    ("name", "stays"),
    [
        ("./usr/bin/python3", True),
        ("./usr/share/doc", True),
        ("./usr/share/doc/python3/README", False),
        ("./usr/lib/python3.13/test/test_os.py", False),
        ("./usr/lib/python3.13/unittest/case.py", True),
    ],
)
def test_what_the_base_leaves_out(name: str, *, stays: bool) -> None:
    assert (base_image.kept(tarfile.TarInfo(name)) is not None) is stays


def test_no_device_becomes_part_of_the_base() -> None:
    entry = tarfile.TarInfo("./dev/null")
    entry.type = tarfile.CHRTYPE
    assert base_image.kept(entry) is None


def test_the_bases_python_runs_through_its_own_loader(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for folder in ("lib64", "usr/lib/x86_64-linux-gnu"):
        (root / folder).mkdir(parents=True)
    (root / "lib64/ld-linux-x86-64.so.2").touch()
    command, environment = base_image.interpreter(tmp_path)
    assert command[0].endswith("ld-linux-x86-64.so.2")
    assert command[-1].endswith("usr/bin/python3.13")
    assert environment["PYTHONHOME"] == str(root / "usr")


def test_a_base_without_a_loader_is_named(tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match="no program loader"):
        base_image.interpreter(tmp_path)


def test_the_pause_image_is_the_same_every_time_and_runs_as_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pause, "run", lambda *_, **__: "amd64\n")
    program = tmp_path / "pause"
    program.write_bytes(b"\x7fELF")
    for name in ("one.tar", "two.tar"):
        pause.write_pause_archive(program, tmp_path / name)
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()
    with tarfile.open(tmp_path / "one.tar") as archive:
        files = {entry.name: archive.extractfile(entry) for entry in archive}
        manifest = json.loads(files["manifest.json"].read())  # type: ignore[union-attr]
        config = json.loads(files[manifest[0]["Config"]].read())  # type: ignore[union-attr]
    assert manifest[0]["RepoTags"] == [PAUSE_IMAGE]
    assert config["config"]["User"] == "65535:65535"
