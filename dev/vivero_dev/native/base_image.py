"""The base image, built without a registry: Debian trixie with Python 3.13.

debootstrap creates a root file system. Archived without documentation and the
like it is the images' base; unpacked, its interpreter compiles their
dependencies.
"""

import os
import shutil
import tarfile
from collections.abc import Iterable
from pathlib import Path

from vivero_dev.commands import run_long
from vivero_dev.debian import OS_RELEASE, distribution_source
from vivero_dev.errors import ComponentError
from vivero_dev.python_packages import install_wheels
from vivero_dev.store import Store

SUITE = "trixie"
PYTHON = "3.13"
PACKAGES = ("ca-certificates", "python3", "python3-pip-whl")
# Increment to rebuild the base everywhere, for instance after a Debian security fix.
REVISION = "1"
# Not needed by our programs or by Python.
LEFT_OUT = (
    "var/cache",
    "var/lib/apt/lists",
    "var/log",
    "usr/share/doc",
    "usr/share/info",
    "usr/share/lintian",
    "usr/share/locale",
    "usr/share/man",
    "usr/share/python-wheels",
    f"usr/lib/python{PYTHON}/idlelib",
    f"usr/lib/python{PYTHON}/test",
    f"usr/lib/python{PYTHON}/turtledemo",
)
ROOT_FOLDER = "root"
WHEELS = "usr/share/python-wheels"
"""pip as Debian ships it: for the stand-in of Docker's Python image."""
ARCHIVE = "base.tar"


def ensure_base(store: Store, log: Path) -> Path:
    """The store's entry with the file system (`root`) and its archive (`base.tar`)."""
    entry = store.entry("base", SUITE, *PACKAGES, *LEFT_OUT, REVISION)
    return store.ensure(entry, lambda target: _make(target, log))


def _make(target: Path, log: Path) -> None:
    root = target / ROOT_FOLDER
    bootstrap(SUITE, PACKAGES, root, log)
    (root / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    pack(root, target / ARCHIVE)


def bootstrap(suite: str, packages: Iterable[str], root: Path, log: Path) -> None:
    """A minimal Debian with these packages and what they need, in a new folder."""
    # In a separate mount namespace, so that debootstrap's mounts disappear with it, even if it is killed.
    command = ["unshare", "--mount", "--propagation", "private", "debootstrap", "--variant=minbase"]
    command += [f"--include={','.join(packages)}", suite, str(root), *_mirror()]
    run_long("base image", command, log=log)


def pack(root: Path, archive: Path) -> None:
    """The file system as an image holds it."""
    with tarfile.open(archive, "w") as packed:
        packed.add(root, arcname=".", filter=kept)


def _mirror() -> list[str]:
    """This machine's Debian mirror; on other systems debootstrap uses its default."""
    debian = any(line.strip() == "ID=debian" for line in OS_RELEASE.read_text().splitlines())
    return [distribution_source().address] if debian else []


def kept(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Whether a file becomes part of the image; an excluded folder stays, empty."""
    name = entry.name.removeprefix("./")
    if entry.isdev() or any(name.startswith(f"{left_out}/") for left_out in LEFT_OUT):
        return None
    return entry


def interpreter(base: Path) -> tuple[list[str], dict[str, str]]:
    """Command and environment to run the base's Python on this machine.

    It uses the base's own loader and libraries, which may be newer than the machine's.
    """
    root = base / ROOT_FOLDER
    loaders = sorted(root.glob("lib*/ld-linux-*.so.*"))
    if not loaders:
        raise ComponentError("base image", f"{root} has no program loader")
    libraries = ":".join(str(folder) for folder in sorted(root.glob("usr/lib/*-linux-gnu")))
    command = [str(loaders[0]), "--library-path", libraries, str(root / f"usr/bin/python{PYTHON}")]
    return command, {"PYTHONHOME": str(root / "usr"), "PYTHONPATH": "", "PATH": os.environ.get("PATH", "")}


def install_packages(base: Path, requirements: Path, target: Path, log: Path) -> None:
    """Install hash-checked wheels for the base's Python below `target`, with their bytecode.

    uv caches each unpacked wheel, so that a package in several images is downloaded once.
    """
    install_wheels("packages", requirements, target, log, f"--python-version={PYTHON}")
    shutil.rmtree(target / "bin", ignore_errors=True)
    command, environment = interpreter(base)
    compiling = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(target)]
    # Recorded paths are the image's, not this machine's.
    compiling += ["-s", str(target), "-p", "/opt/packages"]
    run_long("packages", [*command, *compiling], log=log, environment=environment)
