"""`./vivero up` on a machine with nothing of ours, of this commit beside an earlier one.

    git clone . ../before && git -C ../before checkout <commit>
    python benchmarks/cold_start.py --before ../before

Each clone gets a fresh root file system (debootstrap: Python and certificates, no compiler, no Node, no caches) as the
root of its own mount namespace, one after the other. Printed are the seconds of each step and of the whole, and the
processor time of all programs that `up` waited for: compilers and installers, not the platform's own processes. Needs
root and debootstrap, about 15 GB below the temporary folder, and this machine's ways to Debian, PyPI, npm and the Go
module proxy; it takes the better part of an hour on two processors.
"""

import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from figures import machine, print_table
from vivero_dev.debian import OS_RELEASE, codename, distribution_source

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = "ca-certificates,python3,python3-venv"
# How this machine reaches package indexes; each is copied if it is there.
SETTINGS = (
    "etc/apt",
    "etc/pip.conf",
    "etc/ssl/certs",
    "etc/resolv.conf",
    "etc/hosts",
    "root/.npmrc",
    "usr/local/share/ca-certificates",
)
INSTANCE = "cold"
# Variables that say where indexes are and whom to trust.
KEPT = r"_proxy$|^pip_|^npm_|^goproxy$|cert|_ca_"
STEP = re.compile(r"^\[ *[\d.]+ s\] (?P<step>[^:]+): done in (?P<seconds>[\d.]+) s")
# The new root becomes "/" of this mount namespace: runc looks for the root in the list of mounts, which a chroot has not.
ENTER = """
set -e
mount --rbind "$1" "$1"
cd "$1"
mount --rbind /dev dev && mount --rbind /sys sys && mount -t proc proc proc
mkdir -p old && pivot_root . old && umount -l /old
cd /work && shift && exec "$@"
"""


@dataclass
class Start:
    """What one clone took."""

    seconds: float = 0.0
    processor: float = 0.0
    steps: dict[str, float] = field(default_factory=dict)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, required=True, help="a clone at the commit to compare with")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vivero-cold-") as folder:
        bare = Path(folder) / "bare"
        release = codename(OS_RELEASE.read_text())
        words = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", release, str(bare)]
        subprocess.run([*words, distribution_source().address], check=True, stdout=subprocess.DEVNULL)  # noqa: S603
        now, before = (
            start(name, clone, bare, Path(folder) / "root")
            for name, clone in (("now", ROOT), ("before", options.before.resolve()))
        )
    print(machine())
    rows = [("whole", before.seconds, now.seconds), ("processor", before.processor, now.processor)]
    print_table(
        ("", "before, s", "now, s", "ratio"), [(name, f"{a:.0f}", f"{b:.0f}", f"{b / a:.2f}") for name, a, b in rows]
    )


def start(name: str, clone: Path, bare: Path, root: Path) -> Start:
    """Bring the clone up in a copy of the bare root, say what took longest, and take everything away again."""
    with fresh_root(clone, bare, root):
        found, begin, used = Start(), time.monotonic(), _processor()
        command = ["./vivero", "up", "--instance", INSTANCE, "--provider", "native", "--pool", "0"]
        try:
            with subprocess.Popen(inside(root, *command), stdout=subprocess.PIPE, text=True) as up:  # noqa: S603
                for line in up.stdout or ():
                    print(line, end="", file=sys.stderr)
                    if step := STEP.match(line):
                        found.steps[step["step"]] = float(step["seconds"])
            found.seconds, found.processor = time.monotonic() - begin, _processor() - used
            if up.returncode != 0:
                sys.exit(f"up failed in {clone}")
        finally:
            subprocess.run(inside(root, "./vivero", "reset", "--instance", INSTANCE), check=False)  # noqa: S603
    longest = sorted(found.steps.items(), key=lambda item: item[1], reverse=True)[:12]
    whole = [("whole", f"{found.seconds:.0f}"), ("processor", f"{found.processor:.0f}")]
    print_table((name, "s"), [*whole, *((step, f"{seconds:.1f}") for step, seconds in longest)])
    return found


@contextmanager
def fresh_root(clone: Path, bare: Path, root: Path) -> Iterator[None]:
    # cp copies a device as a device; shutil would read /dev/zero to its end.
    subprocess.run(["cp", "--archive", bare, root], check=True)  # noqa: S603, S607
    found = [name for name in SETTINGS if (Path("/") / name).exists()]
    subprocess.run(["cp", "--archive", "--parents", "--remove-destination", *found, root], cwd="/", check=True)  # noqa: S603, S607
    subprocess.run(["git", "clone", "--quiet", clone, root / "work"], check=True)  # noqa: S603, S607
    try:
        yield
    finally:
        shutil.rmtree(root)


def inside(root: Path, *command: str) -> list[str]:
    """Words that run a command in the root, with this machine's proxies and indexes and none of its caches."""
    kept = [name for name in os.environ if re.search(KEPT, name, re.IGNORECASE)]
    variables = [f"{name}={os.environ[name]}" for name in kept]
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    clean = ["env", "-i", f"PATH={path}", "HOME=/root", "CI=1", *variables]
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", ENTER, "enter", str(root), *clean, *command]


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
