"""Templates compiled when the image is built: `python -m vivero_data.web`.

Compiling a page when it is first asked for takes up to 200 ms of a small pod's
processor, and all of them 3 MB that stay; reading them takes a few milliseconds.
"""

from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemBytecodeCache
from jinja2.bccache import Bucket

FOLDER: Final = Path(__file__).parent / "compiled_templates"
_READABLE: Final = 0o644  # by the user that pods run as; Jinja makes them private


class ShippedTemplates(FileSystemBytecodeCache):
    """What the image holds, checked against the templates; nothing is written at run time, where nothing may be."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Leave it: the image's file system is read-only."""


def shipped(folder: Path = FOLDER) -> ShippedTemplates | None:
    """The compiled templates beside this file; None in a checkout, which compiles what it shows."""
    return ShippedTemplates(str(folder)) if folder.is_dir() else None


def compile_all(made: Environment, folder: Path = FOLDER) -> int:
    """Write every template of an environment, the kit's too; how many."""
    folder.mkdir(exist_ok=True)
    made.bytecode_cache = FileSystemBytecodeCache(str(folder))
    names = made.list_templates(extensions=["j2"])
    for name in names:
        made.get_template(name)
    for path in folder.iterdir():
        path.chmod(_READABLE)
    return len(names)
