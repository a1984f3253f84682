"""kind's node image, and what our own images are built from, where nothing can be pulled.

The node is Debian 12 with our Kubernetes programs and kubeadm; its entry point, units and settings are kind's own, from
its Go module. In the node lie the images of its pods under the names that kubeadm's and Contour's manifests ask for.
Recipes are beside this file.
"""

import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from support import oci_runtime
from support.docker_daemon import Daemon
from vivero_dev.commands import run, run_long
from vivero_dev.debian import extracted
from vivero_dev.docker.contour import MANIFEST
from vivero_dev.instance import cache_root
from vivero_dev.native.base_image import ARCHIVE, PYTHON, SUITE, bootstrap, pack
from vivero_dev.native.images import IMAGES
from vivero_dev.native.toolchain import find_go
from vivero_dev.native.tools import (
    KUBERNETES_PROGRAMS,
    KUBERNETES_VERSION,
    ensure_tools,
    module_folder,
    program,
    tool_store,
)
from vivero_dev.steps import silently
from vivero_dev.store import Store

RECIPES: Final = Path(__file__).with_name("kind_images")
NODE: Final = f"localhost/vivero/kind-node:{KUBERNETES_VERSION}"
PYTHON_IMAGE: Final = "python:3.13-slim"
TOOLS: Final = ("kubernetes", "kubeadm", "etcd", "coredns", "contour", "pause", "kind", "helm")
POD_PROGRAMS: Final = (*KUBERNETES_PROGRAMS, "etcd", "coredns", "contour")
# Its systemd still knows control groups of version 1.
NODE_SUITE: Final = "bookworm"
NODE_PACKAGES: Final = (
    "conntrack",
    "containerd",
    "containernetworking-plugins",
    "ethtool",
    "iproute2",
    "iptables",
    "jq",
    "kmod",
    "mount",
    "procps",
    "runc",
    "systemd",
    "systemd-sysv",
)
# What kind's containerd holds pods' namespaces with.
PAUSE: Final = "registry.k8s.io/pause:3.10"
KIND: Final = "sigs.k8s.io/kind"
KIND_FILES: Final = "images/base/files"


@dataclass(frozen=True)
class Source:
    """What the recipes take their files from: the node's file system, kind's files, Contour's manifests."""

    base: Path
    kind: Path
    manifests: Path
    log: Path


def prepare(folder: Path) -> Source:
    """Compiled, and installed from Debian, the first time."""
    log = folder / "kind-node.log"
    ensure_tools(cache_root(), TOOLS, log, silently)
    files = module_folder(find_go(tool_store(cache_root()), log), KIND) / KIND_FILES
    return Source(_base(log), files, _program("contour").parent / "manifests", log)


def runtime(folder: Path) -> list[str]:
    """Options of a daemon that runs privileged containers where the machine lacks a capability."""
    file = folder / "runtime"
    file.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, "-I", oci_runtime.__file__])} "$@"\n')
    file.chmod(0o755)
    return [f"--add-runtime=bounded={file}", "--default-runtime=bounded"]


def programs(source: Source, folder: Path) -> Path:
    """A folder for the search path: kind with our node, and kubectl with Contour's manifest from its module."""
    target = folder / "bin"
    target.mkdir()
    (target / "helm").symlink_to(_program("helm"))
    node = f'case "$1 $2" in "create cluster") set -- "$@" --image={NODE} ;; esac'
    manifest = f'[ "$word" != --filename={MANIFEST} ] || word=--filename={source.manifests}'
    replaced = f'for word; do shift; {manifest}; set -- "$@" "$word"; done'
    for name, words in (("kind", node), ("kubectl", replaced)):
        file = target / name
        file.write_text(f'#!/bin/sh\n{words}\nexec {_program(name)} "$@"\n')
        file.chmod(0o755)
    return target


def build_node(daemon: Daemon, source: Source) -> None:
    """The node, and Python with our packages: after the images of the Compose half, which these are built on.

    Each time: they are much larger than what they are made of, and that is in caches.
    """
    with _recipe("node") as context:
        os.link(source.base / ARCHIVE, context / ARCHIVE)
        _save_pods(daemon, source, context / "pods.tar")
        _place_files(source.kind, context / "kind")
        _place_programs(context / "bin", ("kubelet", "kubectl", "kubeadm"))
        (context / "version").write_text(KUBERNETES_VERSION)
        _docker(daemon, source, "build", f"--tag={NODE}", context)
    with _recipe("python") as context:
        _download_wheels(context / "wheels", source.log)
        for package in sorted({package for image in IMAGES for package, _ in image.tools}):
            shutil.copytree(extracted(cache_root(), package, SUITE), context / "debian" / package, symlinks=True)
        _docker(daemon, source, "build", f"--tag={PYTHON_IMAGE}", context)


def pod_images(manifests: Path) -> list[str]:
    """What the manifests of kubeadm and Contour ask for."""
    words = ["config", "images", "list", f"--kubernetes-version={KUBERNETES_VERSION}"]
    listed = run("kubeadm", [_program("kubeadm"), *words]).split()
    named = (re.findall(r"^ *image: (\S+)$", file.read_text(), re.MULTILINE) for file in manifests.glob("0[23]-*.yaml"))
    return sorted({PAUSE, *listed, *(name for names in named for name in names)})


def _base(log: Path) -> Path:
    store = Store(cache_root() / "stand-ins")

    def make(target: Path) -> None:
        with TemporaryDirectory(dir=cache_root()) as folder:
            bootstrap(NODE_SUITE, NODE_PACKAGES, Path(folder) / "root", log)
            pack(Path(folder) / "root", target / ARCHIVE)

    return store.ensure(store.entry("node", NODE_SUITE, *NODE_PACKAGES), make)


def _save_pods(daemon: Daemon, source: Source, archive: Path) -> None:
    """Envoy is the Compose half's; all others are one image of programs, and the pause image."""
    names = pod_images(source.manifests)
    pauses = [name for name in names if "/pause:" in name]
    built = [name for name in names if name not in pauses and "envoy" not in name]
    with _recipe("pods") as context:
        os.link(source.base / ARCHIVE, context / ARCHIVE)
        _place_programs(context / "bin", POD_PROGRAMS)
        shutil.move(context / "coredns-without-metrics", context / "bin")
        shutil.copy2(_program("pause"), context)
        for stage, tags in (("pause", pauses), ("programs", built)):
            _docker(daemon, source, "build", f"--target={stage}", *(f"--tag={tag}" for tag in tags), context)
    _docker(daemon, source, "save", f"--output={archive}", *names)


@contextmanager
def _recipe(name: str) -> Iterator[Path]:
    """A folder with the recipe's files, where others are placed beside them."""
    with TemporaryDirectory(dir=cache_root()) as folder:
        context = Path(folder)
        shutil.copytree(RECIPES / name, context, dirs_exist_ok=True)
        (context / "Containerfile").rename(context / "Dockerfile")
        yield context


def _place_files(source: Path, target: Path) -> None:
    """Go's copies of files lost their modes: those in a folder `bin` are programs."""
    for file in sorted(path for path in source.rglob("*") if path.is_file()):
        place = target / file.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)
        place.chmod(0o755 if place.parent.name == "bin" else 0o644)


def _place_programs(target: Path, names: Iterable[str]) -> None:
    """With what a name is a link to."""
    target.mkdir()
    for name in names:
        file = _program(name)
        shutil.copy2(file, target, follow_symlinks=False)
        shutil.copy2(file.resolve(), target)


def _download_wheels(target: Path, log: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--only-binary=:all:", f"--python-version={PYTHON}", f"--dest={target}"]
    for image in IMAGES:
        run_long("wheels", [*command, f"--requirement={image.requirements}"], log=log)


def _docker(daemon: Daemon, source: Source, *words: str | Path) -> None:
    run_long("docker", ["docker", *words], log=source.log, environment=daemon.environment)


def _program(name: str) -> Path:
    return program(cache_root(), name)
