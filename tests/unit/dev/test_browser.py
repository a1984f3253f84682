"""Which browser the end-to-end tests take, and what is installed for it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from vivero_dev.testing import browser
from vivero_dev.testing.browser import SHELL, ensure_browser

Programs = Callable[..., None]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Make these the only programs of the machine; each ends well."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def make(*names: str) -> None:
        for name in names:
            (tmp_path / name).write_text("#!/bin/sh\n")
            (tmp_path / name).chmod(0o755)

    return make


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What packages were asked for, and not installed."""
    asked: list[str] = []
    monkeypatch.setattr(browser, "ensure_packages", lambda names, _log: asked.extend(names))
    return asked


@pytest.mark.parametrize(
    ("there", "user", "expected"),
    [
        ((SHELL, "certutil"), 0, []),
        ((SHELL,), 0, ["libnss3-tools"]),
        (("apt-cache", "certutil"), 0, [SHELL]),
        (("apt-cache", "chromium", "certutil"), 0, [SHELL]),
        (("apt-cache", "chromium", "certutil"), 1000, []),
        (("google-chrome", "certutil"), 0, []),
        (("certutil",), 0, ["chromium"]),
    ],
    ids=str,
)
def test_what_is_installed(
    programs: Programs,
    installed: list[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    there: tuple[str, ...],
    user: int,
    expected: list[str],
) -> None:
    programs(*there)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    ensure_browser(tmp_path / "log")
    assert installed == expected


def test_the_one_without_windows_comes_first(programs: Programs, tmp_path: Path) -> None:
    programs("chromium", "certutil")
    assert browser.browser() == str(tmp_path / "chromium")
    programs(SHELL)
    assert ensure_browser(tmp_path / "log") == str(tmp_path / SHELL)
