"""A cache of build results by name and content hash, shared by instances and clones.

Entries are atomic: an entry is built in a temporary folder and renamed into place,
under a lock, so neither an interrupted nor a concurrent build leaves an incomplete
one.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# Enough to avoid collisions between versions of a tool.
HASH_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Store:
    """A folder of entries `<name>-<hash>`."""

    root: Path

    def entry(self, name: str, *contents: str) -> Path:
        """The path of the entry for these contents, existing or not."""
        return self.root / f"{name}-{content_hash(contents)}"

    def ensure(self, entry: Path, make: Callable[[Path], None]) -> Path:
        """Create the entry unless it exists; `make` fills an empty folder."""
        if entry.is_dir():
            return entry
        with self.lock(entry.name):
            if not entry.is_dir():
                self._make(entry, make)
        return entry

    def _make(self, entry: Path, make: Callable[[Path], None]) -> None:
        draft = entry.with_name(f".{entry.name}.draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        make(draft)
        draft.rename(entry)

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """An exclusive lock on this machine, by name."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / f".{name}.lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def content_hash(contents: tuple[str, ...]) -> str:
    """Hash of the contents in order, with unambiguous boundaries between them."""
    digest = hashlib.sha256()
    for content in contents:
        data = content.encode()
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()[:HASH_LENGTH]


def tree_hash(folder: Path, *, skip: Callable[[Path], bool] = lambda _: False) -> str:
    """Hash of names, executable bits and contents of every file below `folder` that is not skipped."""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file() and not skip(path)):
        digest.update(f"{file.relative_to(folder)}\0{os.access(file, os.X_OK)}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:HASH_LENGTH]
