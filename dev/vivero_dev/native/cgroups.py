"""The control groups below which an instance's pods live, on either version of the kernel's interface."""

import contextlib
import os
import signal
import time
from pathlib import Path

from vivero_dev.errors import ComponentError
from vivero_dev.instance import Instance

ROOT = Path("/sys/fs/cgroup")
# Killed processes leave their group within milliseconds, save one in a disk wait.
EMPTY_SECONDS = 15.0
POLL_SECONDS = 0.05


def unified() -> bool:
    """Whether version 2 alone is mounted."""
    return (ROOT / "cgroup.controllers").exists()


def hierarchies() -> list[Path]:
    """Mount points under which every group has a folder."""
    if unified():
        return [ROOT]
    return sorted(path for path in ROOT.iterdir() if (path / "cgroup.procs").exists() and not path.is_symlink())


def ensure_cgroup(instance: Instance) -> None:
    """Make the instance's group everywhere: kubelet takes it as its root and does not make it."""
    for hierarchy in hierarchies():
        group = hierarchy / instance.cgroup
        if not group.exists():
            _prepare(hierarchy)
            group.mkdir()
        if unified():
            _delegate(group)


def kill_pods(instance: Instance) -> int:
    """End every process in the instance's groups; returns how many there were."""
    killed: set[int] = set()
    end = time.monotonic() + EMPTY_SECONDS
    while alive := _members(instance):
        if time.monotonic() > end:
            raise ComponentError("pods", f"processes survived SIGKILL: {sorted(alive)}")
        for pid in alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        killed |= alive
        time.sleep(POLL_SECONDS)
    return len(killed)


def remove_cgroup(instance: Instance) -> None:
    """Remove the empty groups, innermost first."""
    for group in _groups(instance):
        with contextlib.suppress(FileNotFoundError):
            group.rmdir()


def cgroup_leftovers(instance: Instance) -> list[str]:
    return [f"cgroup {group}" for hierarchy in hierarchies() if (group := hierarchy / instance.cgroup).exists()]


def _groups(instance: Instance) -> list[Path]:
    found = []
    for hierarchy in hierarchies():
        top = hierarchy / instance.cgroup
        if top.exists():
            found += [top, *(path for path in top.rglob("*") if path.is_dir())]
    return sorted(found, key=lambda path: len(path.parts), reverse=True)


def _members(instance: Instance) -> set[int]:
    pids: set[int] = set()
    for group in _groups(instance):
        with contextlib.suppress(FileNotFoundError):
            pids |= {int(line) for line in (group / "cgroup.procs").read_text().split()}
    # Zero stands for a process of an outer process namespace.
    return pids - {0}


def _prepare(hierarchy: Path) -> None:
    """Groups inherit processors and memory nodes, without which version 1 lets no process in."""
    clone = hierarchy / "cgroup.clone_children"
    if clone.exists():
        clone.write_text("1")


def _delegate(group: Path) -> None:
    offered = (group / "cgroup.controllers").read_text().split()
    (group / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in offered))
