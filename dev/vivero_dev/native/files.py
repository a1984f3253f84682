"""Configuration files: written only if changed, because some programs exit when their file is touched."""

from pathlib import Path


def write_public(file: Path, content: str) -> Path:
    """A file without secrets."""
    return _write(file, content, 0o644)


def write_private(file: Path, content: str) -> Path:
    """A file with a secret; never readable by other users."""
    return _write(file, content, 0o600)


def _write(file: Path, content: str, mode: int) -> Path:
    if file.exists() and file.read_text() == content:
        return file
    draft = file.with_name(f"{file.name}.tmp")
    draft.unlink(missing_ok=True)
    draft.touch(mode=mode)
    draft.chmod(mode)
    draft.write_text(content)
    draft.replace(file)
    return file
