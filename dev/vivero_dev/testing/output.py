"""What a person wants of pytest's output: how far it is, what failed, how it ended."""

import re
from pathlib import Path

from vivero_dev.logfiles import TAIL_LINES, tail

_PERCENT = re.compile(r"\[ *(\d+)%\]")
_FAILURES = re.compile(r"^=+ (?:ERRORS|FAILURES) =+$", re.MULTILINE)
_LAST = re.compile(r"^=+ (.+?) =+$", re.MULTILINE)


def progress(log: Path) -> str:
    """The share of the tests that is done; empty while it is not known."""
    found: list[str] = _PERCENT.findall(tail(log))
    return f"{found[-1]} %" if found else ""


def failures(text: str) -> str:
    """From the first failure to the end; of a run that crashed, its last lines."""
    begin = _FAILURES.search(text)
    return text[begin.start() :].rstrip() if begin else "\n".join(text.splitlines()[-TAIL_LINES:])


def outcome(text: str) -> str:
    """Pytest's last line, such as `12 passed in 3.21s`; empty when it never got there."""
    found: list[str] = _LAST.findall(text)
    return found[-1] if found else ""
