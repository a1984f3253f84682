"""What an archive is written into while its bytes are taken away at the other end."""

import io
from typing import Any


class Pipe(io.RawIOBase):
    """Holds what was written and not taken yet; it cannot be sought in."""

    def __init__(self) -> None:
        super().__init__()
        self._written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401  any buffer
        self._written += data
        return len(data)

    def take(self) -> bytes:
        """What was written since the last time."""
        written, self._written = bytes(self._written), bytearray()
        return written
