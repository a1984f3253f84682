"""The browser of the end-to-end tests: the machine's, or the distribution's package."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from vivero_dev.native.packages import ensure_packages

SHELL: Final = "chromium-headless-shell"
"""Chromium without windows. The whole one draws its own buttons and menus for each page also without a screen, and
takes twice the processor time (docs/performance.md)."""
WHOLE: Final = "chromium"
BROWSERS: Final = (SHELL, WHOLE, "chromium-browser", "google-chrome")
"""Names in distributions, the best first."""
CERTIFICATES: Final = "certutil"
"""Fills the browser's own certificate database; a program of this package."""
CERTIFICATES_PACKAGE: Final = "libnss3-tools"


def browser() -> str | None:
    """The path of the best one that is installed."""
    return next((program for name in BROWSERS if (program := shutil.which(name))), None)


def ensure_browser(log: Path) -> str:
    """Install what is missing; what was done. Raises ComponentError."""
    missing = [package for package in (_missing_browser(), _missing_certificates()) if package]
    if missing:
        ensure_packages(missing, log)
        return f"installed {' '.join(missing)}"
    return browser() or ""


def _missing_browser() -> str | None:
    """The package to install; a whole browser does where the shell cannot be had."""
    if shutil.which(SHELL):
        return None
    if _is_offered(SHELL) and (browser() is None or os.geteuid() == 0):
        return SHELL
    return WHOLE if browser() is None else None


def _missing_certificates() -> str | None:
    return None if shutil.which(CERTIFICATES) else CERTIFICATES_PACKAGE


def _is_offered(package: str) -> bool:
    """Whether apt knows it; Ubuntu's does not, and other systems have no apt."""
    program = shutil.which("apt-cache")
    if program is None:
        return False
    asked = subprocess.run([program, "show", package], capture_output=True, check=False, timeout=30)  # noqa: S603  fixed words
    return asked.returncode == 0
