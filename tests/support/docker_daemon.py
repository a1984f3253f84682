"""A Docker daemon of a test's own: in a folder and a network namespace that go away, with bridges and published ports.

The machine's daemon, if it has one, its rules and its addresses are left alone. Programs are Debian's, unpacked into the
cache: trixie's, because bookworm has no Compose that is a plugin; on other distributions those of the machine's release.
"""

import ctypes
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vivero_dev.commands import run
from vivero_dev.debian import OS_RELEASE, extracted
from vivero_dev.instance import Instance, cache_root
from vivero_dev.native.cgroups import kill_pods, remove_cgroup
from vivero_dev.native.packages import NATIVE_PACKAGES, ensure_packages
from vivero_dev.native.probes import unix_socket_accepts
from vivero_dev.processes import ProcessSpec, ProcessTable

START_SECONDS: Final = 60.0
COMMAND_SECONDS: Final = 300.0
NAME: Final = "dockerd"
PLUGIN: Final = "cli-plugins/docker-compose"
CLONE_NEWNET: Final = 0x40000000


@dataclass(frozen=True)
class Daemon:
    """One that runs; whoever has its environment, inside its namespace, uses it as people use theirs."""

    namespace: Path
    environment: dict[str, str]

    def docker(self, *words: str | Path) -> str:
        return run("docker", ["docker", *words], environment=self.environment, timeout=COMMAND_SECONDS)


@contextmanager
def own_daemon(folder: Path, name: str = "docker", *options: str) -> Iterator[Daemon]:
    """Started in a few seconds, with further options; containers, images, volumes and networks go with it."""
    instance = Instance(f"{name}-{os.getpid()}", folder, cache_root(), 0, {})
    ensure_packages(NATIVE_PACKAGES, folder / "packages.log")
    path = _programs(folder / "client")
    socket, data = folder / "docker.sock", folder / "data"
    environment = {
        "PATH": f"{path}:{os.environ['PATH']}",
        "DOCKER_HOST": f"unix://{socket}",
        "DOCKER_CONFIG": str(folder / "client"),
    }
    processes = ProcessTable(instance)
    run("network", ["ip", "netns", "add", instance.netns])
    try:
        run("network", ["ip", "-netns", instance.netns, "link", "set", "lo", "up"])
        processes.ensure(
            ProcessSpec(
                NAME,
                [
                    *(NAME, f"--host=unix://{socket}", "--group=root", f"--pidfile={folder / 'docker.pid'}"),
                    *(f"--data-root={data}", f"--exec-root={folder / 'exec'}", f"--cgroup-parent=/{instance.cgroup}"),
                    *("--exec-opt=native.cgroupdriver=cgroupfs", *options),
                ],
                environment=environment,
                netns=instance.netns_path,
                ready=lambda: unix_socket_accepts(socket),
                deadline=START_SECONDS,
            )
        )
        yield Daemon(instance.netns_path, environment)
    finally:
        processes.stop(NAME, grace=START_SECONDS)
        kill_pods(instance)
        remove_cgroup(instance)
        run("network", ["ip", "netns", "delete", instance.netns])
        shutil.rmtree(data, ignore_errors=True)


@contextmanager
def inside(namespace: Path) -> Iterator[None]:
    """What this thread connects to, and the programs that it starts, are in the namespace."""
    enter = ctypes.CDLL(None, use_errno=True).setns
    with Path("/proc/thread-self/ns/net").open() as own, namespace.open() as other:
        _check(enter(other.fileno(), CLONE_NEWNET))
        try:
            yield
        finally:
            _check(enter(own.fileno(), CLONE_NEWNET))


def _check(code: int) -> None:
    if code != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _programs(client: Path) -> str:
    """Where client and daemon lie, as a search path; the client finds Compose in its folder."""
    debian = any(line.strip() == "ID=debian" for line in OS_RELEASE.read_text().splitlines())
    release = "trixie" if debian else ""
    names = ("docker.io", "docker-cli", "docker-compose") if debian else ("docker.io", "docker-compose-v2")
    folders = [extracted(cache_root(), name, release) for name in names]
    (client / PLUGIN).parent.mkdir(parents=True)
    (client / PLUGIN).symlink_to(next(folders[-1].glob(f"usr/lib*/docker/{PLUGIN}")))
    return ":".join(str(folder / part) for folder in folders[:-1] for part in ("usr/bin", "usr/sbin"))
