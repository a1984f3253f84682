"""The parent cgroups of an instance's pods, for cgroup v1 and v2."""

import contextlib
import os
import signal
import time
from pathlib import Path

from vivero_dev.errors import ComponentError
from vivero_dev.instance import Instance

ROOT = Path("/sys/fs/cgroup")
# Enough for a web server to finish its requests.
TERM_SECONDS = 5.0
# Killed processes leave their group within milliseconds, save one in a disk wait.
KILL_SECONDS = 15.0
POLL_SECONDS = 0.05
# Kubelet gives all pods together the weight of one thread for each processor, for nodes whose daemons share one group.
# Here the daemons are in the root group, where each busy thread has weight one: by default the pods would starve.
PODS_WEIGHT = 2 * (os.cpu_count() or 1)


def unified() -> bool:
    """Whether only cgroup v2 is mounted."""
    return (ROOT / "cgroup.controllers").exists()


def hierarchies() -> list[Path]:
    """Mount points under which every group has a folder."""
    if unified():
        return [ROOT]
    return sorted(path for path in ROOT.iterdir() if (path / "cgroup.procs").exists() and not path.is_symlink())


def ensure_cgroup(instance: Instance) -> None:
    """Create the instance's group in all hierarchies: kubelet uses it as root but does not create it."""
    for hierarchy in hierarchies():
        group = hierarchy / instance.cgroup
        if not group.exists():
            _prepare(hierarchy)
            group.mkdir()
        if unified():
            _delegate(group)
        _set_weight(group)


def kill_pods(instance: Instance) -> None:
    """End all processes in the instance's groups: TERM, then KILL for the rest."""
    if not _signal_until_gone(instance, signal.SIGTERM, TERM_SECONDS) and not _signal_until_gone(
        instance, signal.SIGKILL, KILL_SECONDS
    ):
        raise ComponentError("pods", f"processes survived SIGKILL: {sorted(_members(instance))}")


def _signal_until_gone(instance: Instance, number: signal.Signals, seconds: float) -> bool:
    """Send the signal to all members repeatedly, until there are none or the time is over."""
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
    # Containers end concurrently: os.walk skips folders that disappear, rglob raises.
    found = [Path(folder) for hierarchy in hierarchies() for folder, _, _ in os.walk(hierarchy / instance.cgroup)]
    return sorted(found, key=lambda path: len(path.parts), reverse=True)


def _members(instance: Instance) -> set[int]:
    pids: set[int] = set()
    for group in _groups(instance):
        # Removed before the open, or between open and read (then the kernel says "no such device").
        with contextlib.suppress(OSError):
            pids |= {int(line) for line in (group / "cgroup.procs").read_text().split()}
    # Zero is a process of an outer PID namespace.
    return pids - {0}


def _prepare(hierarchy: Path) -> None:
    """Make groups inherit CPUs and memory nodes, without which v1 accepts no process."""
    clone = hierarchy / "cgroup.clone_children"
    if clone.exists():
        clone.write_text("1")


def _delegate(group: Path) -> None:
    offered = (group / "cgroup.controllers").read_text().split()
    (group / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in offered))


def _set_weight(group: Path) -> None:
    """Set the CPU weight: v1's unit is 1024, v2's is 100; most hierarchies of v1 have no such file."""
    for name, thread in (("cpu.shares", 1024), ("cpu.weight", 100)):
        if (group / name).exists():
            (group / name).write_text(str(thread * PODS_WEIGHT))
