"""The control groups below which an instance's pods live, on either version of the kernel's interface."""

import contextlib
import os
import signal
import time
from pathlib import Path

from vivero_dev.errors import ComponentError
from vivero_dev.instance import Instance

ROOT = Path("/sys/fs/cgroup")
# A web server finishes its requests in that time.
TERM_SECONDS = 5.0
# Killed processes leave their group within milliseconds, save one in a disk wait.
KILL_SECONDS = 15.0
POLL_SECONDS = 0.05
# Kubelet weighs all pods together as one thread for each processor, beside one for all daemons of an ordinary node.
# Here the daemons are in the root group, where each thread that is busy weighs one: left alone, the pods starve.
PODS_WEIGHT = 2 * (os.cpu_count() or 1)


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
        _weigh(group)


def end_pods(instance: Instance) -> None:
    """End every process in the instance's groups: TERM, and KILL for those that stay."""
    if not _ended(instance, signal.SIGTERM, TERM_SECONDS) and not _ended(instance, signal.SIGKILL, KILL_SECONDS):
        raise ComponentError("pods", f"processes survived SIGKILL: {sorted(_members(instance))}")


def _ended(instance: Instance, number: signal.Signals, seconds: float) -> bool:
    """Send the signal to whoever is there, until nobody is or the time is over."""
    told: set[int] = set()
    end = time.monotonic() + seconds
    while alive := _members(instance):
        for pid in alive - told:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        told |= alive
        if time.monotonic() > end:
            return False
        time.sleep(POLL_SECONDS)
    return True


def remove_cgroup(instance: Instance) -> None:
    """Remove the empty groups, innermost first."""
    for group in _groups(instance):
        with contextlib.suppress(FileNotFoundError):
            group.rmdir()


def cgroup_leftovers(instance: Instance) -> list[str]:
    return [f"cgroup {group}" for hierarchy in hierarchies() if (group := hierarchy / instance.cgroup).exists()]


def _groups(instance: Instance) -> list[Path]:
    # Containers end while we look: os.walk passes over folders that have gone, rglob raises.
    found = [Path(folder) for hierarchy in hierarchies() for folder, _, _ in os.walk(hierarchy / instance.cgroup)]
    return sorted(found, key=lambda path: len(path.parts), reverse=True)


def _members(instance: Instance) -> set[int]:
    pids: set[int] = set()
    for group in _groups(instance):
        # Gone before the open, or between open and read (then the kernel says "no such device").
        with contextlib.suppress(OSError):
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


def _weigh(group: Path) -> None:
    """Version 1 counts a thread as 1024, version 2 as 100; most hierarchies of version 1 count something else."""
    for name, thread in (("cpu.shares", 1024), ("cpu.weight", 100)):
        if (group / name).exists():
            (group / name).write_text(str(thread * PODS_WEIGHT))
