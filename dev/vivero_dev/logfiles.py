"""Tails of log files, which error messages include."""

from pathlib import Path

TAIL_LINES = 40
# More than any forty lines of ours; a log may be gigabytes long.
TAIL_BYTES = 65536


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """The last lines of a log; reads at most TAIL_BYTES from its end."""
    if not log.exists():
        return ""
    with log.open("rb") as handle:
        handle.seek(max(0, log.stat().st_size - TAIL_BYTES))
        text = handle.read().decode(errors="replace")
    return "\n".join(text.splitlines()[-lines:])


class NewLines:
    """Complete lines that are appended to a log from now on."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._offset = log.stat().st_size if log.exists() else 0
        self._begun = b""

    def read(self) -> list[str]:
        """Lines since the last call; an incomplete line is returned once it is complete."""
        with self._log.open("rb") as handle:
            handle.seek(self._offset)
            fresh = handle.read()
        self._offset += len(fresh)
        *whole, self._begun = (self._begun + fresh).split(b"\n")
        return [line.decode(errors="replace") for line in whole]
