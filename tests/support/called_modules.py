"""A pytest plugin that names the modules of which a test calls something: what one reads to follow its story.

`VIVERO_STATUS=/tmp/status.json pytest -p support.called_modules tests/integration/control_plane/test_signup.py \
    -k progress_and_login -m "not full"`

Modules that are only imported do not count. Threads that start after pytest was configured are seen, too.
"""

import threading
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

_PACKAGES = ("vivero_control", "vivero_web", "vivero_core")
_called: set[str] = set()
_recording = threading.Event()


def _profile(frame: FrameType, event: str, _: object) -> None:
    code = frame.f_code
    if event == "call" and code.co_name != "<module>" and code.co_filename.endswith(".py") and _recording.is_set():
        _called.add(code.co_filename)


def pytest_configure() -> None:
    threading.setprofile(_profile)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, Any, Any]:
    _recording.set()
    try:
        return (yield)
    finally:
        _recording.clear()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    ours = sorted(
        "/".join(path.parts[at:])
        for path in map(Path, _called)
        for at, part in enumerate(path.parts)
        if part in _PACKAGES
    )
    counts = Counter(one.partition("/")[0] for one in ours)
    terminalreporter.section(", ".join(f"{name}: {counts[name]}" for name in _PACKAGES))
    for one in ours:
        terminalreporter.write_line(one)
