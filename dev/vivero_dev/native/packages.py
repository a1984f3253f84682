"""Debian packages of the native provider, installed in one transaction.

Their services are not started: only this tool starts programs.
"""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from vivero_dev.commands import run_long
from vivero_dev.errors import ComponentError

NATIVE_PACKAGES = (
    # The cluster's
    "ca-certificates",
    "containerd",
    "runc",
    "containernetworking-plugins",
    "conntrack",
    "iproute2",
    "iptables",
    "procps",
    "util-linux",
    # Valkey, of which only the program is unpacked
    "libatomic1",
    # MariaDB: programs and libraries alone, without a service that would start
    "mariadb-server-core",
    "mariadb-client-core",
    "libjemalloc2",
    "liblzf1",
    # Images
    "buildah",
    "debootstrap",
)
# Docker's own packages bring these two and conflict with the distribution's.
VENDORED = frozenset({"containerd", "runc"})

# Another apt on the machine (unattended upgrades) may hold the lock that long; shorter than commands.STALL_SECONDS.
LOCK_SECONDS = 600
POLICY = Path("/usr/sbin/policy-rc.d")
# invoke-rc.d reads 101 as "action forbidden by policy": the package installs, its service stays down.
POLICY_TEXT = "#!/bin/sh\nexit 101\n"

# Steps run in parallel threads; apt allows one caller at a time.
_one_caller = threading.Lock()


def ensure_packages(names: Iterable[str], log: Path) -> list[str]:
    """Install what is missing and return its names; apt's output goes to `log`."""
    with _one_caller:
        missing = sorted(name for name in set(names) if not (is_installed(name) or brought_by_another(name)))
        if missing:
            _require_root(missing)
            _install(missing, log)
    return missing


def brought_by_another(name: str) -> bool:
    """Whether a vendor's package, which ours would replace, already provides the program."""
    return name in VENDORED and shutil.which(name) is not None


def is_installed(name: str) -> bool:
    asked = subprocess.run(  # noqa: S603  a fixed program and a name from this package
        ["dpkg-query", "--show", "--showformat=${db:Status-Abbrev}", name],  # noqa: S607  from PATH
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    return asked.returncode == 0 and asked.stdout.startswith("ii")


def _require_root(missing: list[str]) -> None:
    if os.geteuid() != 0:
        raise ComponentError("packages", f"missing: {' '.join(missing)}; installing them needs root")


def _install(names: list[str], log: Path) -> None:
    environment = {"DEBIAN_FRONTEND": "noninteractive"}
    lock = f"DPkg::Lock::Timeout={LOCK_SECONDS}"
    run_long("packages", ["apt-get", "-o", lock, "update"], log=log, environment=environment)
    with _services_stay_down():
        words = ["apt-get", "-o", lock, "install", "--yes", "--no-remove", "--no-install-recommends", *names]
        run_long("packages", words, log=log, environment=environment)


@contextmanager
def _services_stay_down() -> Iterator[None]:
    """Forbid service starts, unless the machine has a policy-rc.d already."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text(POLICY_TEXT)
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()
