"""Our three images, built by buildah from their Containerfiles and loaded into containerd.

The tag is the hash of all inputs, so an unchanged tree builds nothing, and a
change of code builds only one thin layer.
"""

import shutil
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from vivero_dev.commands import run, run_long
from vivero_dev.debian import extracted
from vivero_dev.native.base_image import ARCHIVE, SUITE, ensure_base, install_packages
from vivero_dev.native.containerd import load_image
from vivero_dev.native.layout import Cluster
from vivero_dev.steps import Say
from vivero_dev.store import Store, content_hash, tree_hash

ROOT = Path(__file__).resolve().parents[3]
REGISTRY = "localhost/vivero"
# Clones and branches share the storage; each build is one thin layer.
KEPT_BUILDS = 6
# Increment when this module builds something else from the same inputs.
REVISION = "1"


@dataclass(frozen=True, slots=True)
class Image:
    """One program's image: its name, its project folder, and the code in it."""

    name: str
    folder: str
    code: tuple[str, ...]
    tools: tuple[tuple[str, str], ...] = ()
    """Files of Debian packages that it holds: the package, and the file. A library lies in /usr/lib itself, for any machine."""

    @property
    def requirements(self) -> Path:
        """Locked dependencies."""
        return ROOT / "requirements" / f"{self.name}.txt"

    @property
    def containerfile(self) -> Path:
        """How it is built."""
        return ROOT / self.folder / "Containerfile"


_SHARED = ("core/vivero_core", "web/vivero_web", "ui/vivero_ui")  # of the two web programs
IMAGES = (
    Image(
        "operator",
        "operator",
        ("core/vivero_core", "operator/vivero_operator"),
        tools=(
            ("mariadb-client", "usr/bin/mariadb-dump"),
            # The server that a log is replayed in, and what it needs beside the base's libraries.
            ("mariadb-server-core", "usr/sbin/mariadbd"),
            ("mariadb-server-core", "usr/share/mariadb/english/errmsg.sys"),
            ("mariadb-server-core", "usr/share/mariadb/mariadb_system_tables.sql"),
            ("libaio1t64", "usr/lib/libaio.so.1t64"),
            ("libnuma1", "usr/lib/libnuma.so.1"),
            ("liburing2", "usr/lib/liburing.so.2"),
        ),
    ),
    Image("control-plane", "control_plane", (*_SHARED, "control_plane/vivero_control")),
    Image("data-plane", "data_plane", (*_SHARED, "data_plane/vivero_data", "docs/manual")),
)


def reference(image: Image) -> str:
    """Full name with the tag computed from this tree's content."""
    parts = [REVISION, image.containerfile.read_text(), image.requirements.read_text()]
    parts += [tree_hash(ROOT / folder, skip=_not_code) for folder in image.code]
    return f"{REGISTRY}/{image.name}:{content_hash(tuple(parts))}"


def _not_code(path: Path) -> bool:
    """What no image has; of Markdown the manual is served."""
    return "__pycache__" in path.parts or (path.suffix == ".md" and path.parent.name != "manual")


def _in_package(folder: Path, file: str) -> Path:
    """A library lies below the name of the machine that it is for."""
    library = Path(file).parent == Path("usr/lib")
    return next(folder.glob(f"usr/lib/*/{Path(file).name}")) if library else folder / file


class Builder:
    """buildah with a storage of our own in the cache folder, shared by instances."""

    def __init__(self, cache_dir: Path, log: Path) -> None:
        self._store = Store(cache_dir / "images")
        self._cache = cache_dir
        self._log = log

    @cached_property
    def base(self) -> Path:
        """The base's entry in the store."""
        return ensure_base(self._store, self._log)

    def build(self, image: Image, say: Say) -> bool:
        """Build the image unless it exists; returns whether it was built."""
        name = reference(image)
        with self._store.lock("build"):
            if self._has(name):
                return False
            self._build(image, name, say)
            self._forget_old(image)
        return True

    def load(self, cluster: Cluster, name: str) -> None:
        """Load the built image of this full name into containerd."""
        with tempfile.TemporaryDirectory(dir=self._cache) as folder:
            archive = Path(folder) / "image.tar"
            # A docker archive, which is not compressed like an OCI archive: it is read once and deleted.
            self._buildah("push", name, f"docker-archive:{archive}:{name}")
            load_image(cluster, archive, name)

    def missing(self) -> list[Image]:
        """Images of this tree that are not built."""
        names = self._names() if shutil.which("buildah") else []
        return [image for image in IMAGES if reference(image) not in names]

    def _build(self, image: Image, name: str, say: Say) -> None:
        dependencies = self._dependencies(image, say)
        say(f"building {image.name}")
        options = ["--pull-never", "--isolation=chroot", f"--tag={name}", f"--file={image.containerfile}"]
        options.append(f"--build-arg=DEPENDENCIES={dependencies}")
        if image.tools:
            options.append(f"--build-arg=TOOLS={self._tools(image, say)}")
        self._buildah("build", *options, str(ROOT))

    def _dependencies(self, image: Image, say: Say) -> str:
        """Image of the base with the locked dependencies in /opt/packages; returns its name."""
        tag = content_hash((REVISION, image.requirements.read_text(), self.base.name))
        name = f"{REGISTRY}/{image.name}-dependencies:{tag}"
        if not self._has(name):
            say(f"installing dependencies of {image.name}")
            with tempfile.TemporaryDirectory(dir=self._cache) as folder:
                install_packages(self.base, image.requirements, Path(folder) / "packages", self._log)
                self._from_folder(Path(folder), name, f"FROM {self._base_image()}\nCOPY packages /opt/packages\n")
        return name

    def _tools(self, image: Image, say: Say) -> str:
        """Image with the programs alone; returns its name."""
        name = f"{REGISTRY}/{image.name}-tools:{content_hash((REVISION, SUITE, *map(str, image.tools)))}"
        if not self._has(name):
            say(f"unpacking tools of {image.name}")
            with tempfile.TemporaryDirectory(dir=self._cache) as folder:
                for package, file in image.tools:
                    target = Path(folder) / file
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(_in_package(extracted(self._cache, package, SUITE), file), target)
                self._from_folder(Path(folder), name, "FROM scratch\nCOPY . /\n")
        return name

    def _base_image(self) -> str:
        name = f"{REGISTRY}/{self.base.name.replace('-', ':', 1)}"
        if not self._has(name):
            self._from_folder(self.base, name, f"FROM scratch\nADD {ARCHIVE} /\n")
        return name

    def _from_folder(self, context: Path, name: str, containerfile: str) -> None:
        """Build an image that only copies files and runs no command."""
        with tempfile.NamedTemporaryFile("w", suffix=".Containerfile") as file:
            file.write(containerfile)
            file.flush()
            self._buildah("build", "--pull-never", f"--tag={name}", f"--file={file.name}", str(context))

    def _forget_old(self, image: Image) -> None:
        """Keep the newest few builds: buildah lists them newest first."""
        builds = [name for name in self._names() if name.startswith(f"{REGISTRY}/{image.name}:")]
        if old := builds[KEPT_BUILDS:]:
            self._buildah("rmi", *old)

    def _has(self, name: str) -> bool:
        return name in self._names()

    def _names(self) -> list[str]:
        return run("buildah", self._words("images", "--format={{.Name}}:{{.Tag}}")).split()

    def _buildah(self, *arguments: str) -> None:
        run_long("buildah", self._words(*arguments), log=self._log)

    def _words(self, *arguments: str) -> list[str]:
        storage = self._cache / "containers"
        options = [f"--root={storage}", "--runroot=/run/vivero-buildah", "--storage-driver=overlay"]
        # Storage mounts itself: in a mount namespace of its own that ends with the command.
        return ["unshare", "--mount", "--propagation", "private", "buildah", *options, *arguments]
