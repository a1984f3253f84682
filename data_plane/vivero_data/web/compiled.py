"""Templates precompiled when the image is built: `python -m vivero_data.web`.

Compiling a page at its first request takes up to 200 ms of CPU in a small pod,
and 3 MB for all of them; loading compiled ones takes a few milliseconds.
"""

from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemBytecodeCache
from jinja2.bccache import Bucket

FOLDER: Final = Path(__file__).parent / "compiled_templates"
_READABLE: Final = 0o644  # by the pod's user; Jinja creates them with mode 0600


class ShippedTemplates(FileSystemBytecodeCache):
    """The image's bytecode cache, checked against the templates; read-only."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        """A no-op: the image's file system is read-only."""


def shipped(folder: Path = FOLDER) -> ShippedTemplates | None:
    """The precompiled templates; None in a checkout, where pages are compiled on demand."""
    return ShippedTemplates(str(folder)) if folder.is_dir() else None


def compile_all(made: Environment, folder: Path = FOLDER) -> int:
    """Compile every template of an environment, including the UI kit's; returns how many."""
    folder.mkdir(exist_ok=True)
    made.bytecode_cache = FileSystemBytecodeCache(str(folder))
    names = made.list_templates(extensions=["j2"])
    for name in names:
        made.get_template(name)
    for path in folder.iterdir():
        path.chmod(_READABLE)
    return len(names)
