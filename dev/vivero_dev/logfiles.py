"""The ends of log files, which every failure shows."""

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
