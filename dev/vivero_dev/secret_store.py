"""Passwords and keys of an instance: made once at random, kept in files only their owner reads."""

import secrets
from collections.abc import Callable
from pathlib import Path

# 32 bytes in hexadecimal: no character that any shell, URL, SQL or ACL file takes specially.
PASSWORD_BYTES = 32


def random_password() -> str:
    return secrets.token_hex(PASSWORD_BYTES)


class SecretStore:
    """A folder of secrets, one file each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, name: str, make: Callable[[], str] = random_password) -> str:
        """The secret of that name; `make` gives its first value."""
        file = self._folder / name
        if not file.exists():
            draft = file.with_name(f".{name}.{secrets.token_hex(8)}")
            draft.touch(mode=0o600)
            draft.write_text(make())
            # Linking fails if another thread or run was first; then theirs counts.
            try:
                file.hardlink_to(draft)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return file.read_text()
