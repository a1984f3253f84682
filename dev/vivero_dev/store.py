"""Built programs by name and content hash, outside the tree and shared by instances and clones.

An entry is whole or absent: it is made beside its place and moved there in one
rename, under a lock, so neither an interrupted build nor two at once leave half
a tool.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# Enough that no two versions of one tool ever meet.
HASH_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Store:
    """A folder of entries `<name>-<hash>`."""

    root: Path

    def entry(self, name: str, *contents: str) -> Path:
        """Where the entry made from these contents lies or will lie."""
        return self.root / f"{name}-{content_hash(contents)}"

    def ensure(self, entry: Path, make: Callable[[Path], None]) -> Path:
        """Make the entry unless it is there; `make` fills an empty folder."""
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
        """One at a time on this machine, for whatever `name` stands for."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / f".{name}.lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def content_hash(contents: tuple[str, ...]) -> str:
    """Same contents in the same order, same hash; parts cannot run into each other."""
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
