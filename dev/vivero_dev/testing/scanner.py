"""wapiti, a scanner of web programs, in an environment of its own: its packages contradict ours."""

import sys
from pathlib import Path

from vivero_dev.commands import run
from vivero_dev.native.tools import tool_store

_REQUIREMENTS = Path(__file__).resolve().parents[3] / "requirements" / "wapiti.txt"
# The locked wapiti installs on no later one.
_PYTHONS = ("--python=3.12", "--python=3.11")
# Eighty packages; the larger part of it is their download.
_INSTALL_SECONDS = 600.0


def ensure_scanner(cache_dir: Path, log: Path) -> list[str]:
    """Install it unless the cache has it; returns the words that run it. Raises ComponentError."""
    store = tool_store(cache_dir)

    def make(target: Path) -> None:
        run("wapiti", [sys.executable, "-m", "virtualenv", "--quiet", *_PYTHONS, target], log=log)
        locked = ("--quiet", "--require-hashes", "--no-deps", "--requirement", _REQUIREMENTS)
        run("wapiti", [target / "bin/python", "-m", "pip", "install", *locked], timeout=_INSTALL_SECONDS, log=log)

    folder = store.ensure(store.entry("wapiti", _REQUIREMENTS.read_text(), sys.version), make)
    # Through its interpreter: the script's own first line names the folder in which it was made.
    return [str(folder / "bin/python"), str(folder / "bin/wapiti")]
