"""Finds and removes mounts below a folder, innermost first."""

import re
from pathlib import Path

from vivero_dev.commands import run
from vivero_dev.errors import ComponentError

MOUNTINFO = Path("/proc/self/mountinfo")


def mounts_below(*folders: Path) -> list[Path]:
    """Mount points at or below the folders, innermost first."""
    found = mount_points(MOUNTINFO.read_text())
    mine = [point for point in found if any(point == folder or folder in point.parents for folder in folders)]
    return sorted(mine, key=lambda point: len(point.parts), reverse=True)


def mount_points(mountinfo: str) -> list[Path]:
    """Fifth field of each line; the kernel writes odd characters as three octal digits."""
    return [Path(re.sub(r"\\([0-7]{3})", _character, line.split()[4])) for line in mountinfo.splitlines()]


def unmount_below(*folders: Path) -> None:
    """Unmount everything there, lazily: a mount in use disappears with its last user."""
    for point in mounts_below(*folders):
        try:
            run("mounts", ["umount", point], timeout=30)
        except ComponentError:
            run("mounts", ["umount", "--lazy", point], timeout=30)


def _character(match: re.Match[str]) -> str:
    return chr(int(match[1], 8))
