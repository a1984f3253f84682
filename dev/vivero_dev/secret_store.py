"""Passwords and keys of an instance: generated once, stored in files with mode 0600."""

import secrets
from collections.abc import Callable
from pathlib import Path

# 32 bytes in hexadecimal: no character that is special in a shell, URL, SQL or ACL file.
PASSWORD_BYTES = 32


def random_password() -> str:
    return secrets.token_hex(PASSWORD_BYTES)


class SecretStore:
    """A folder of secrets, one file each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, name: str, make: Callable[[], str] = random_password) -> str:
        """The secret of that name; `make` generates its initial value."""
        file = self._folder / name
        if not file.exists():
            draft = file.with_name(f".{name}.{secrets.token_hex(8)}")
            draft.touch(mode=0o600)
            draft.write_text(make())
            # Linking fails if another thread or process was first; then its value is used.
            try:
                file.hardlink_to(draft)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return file.read_text()
