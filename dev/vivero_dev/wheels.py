"""Installs Python packages with uv from hash-locked requirements, with this machine's pip configuration.

Uses only the standard library: `./vivero` creates its own environment with it, before any package is installed.
"""

import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

LINKS = "UV_FIND_LINKS"
# uv's equivalents of pip's options. uv does not read pip's configuration.
SETTINGS = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": LINKS,
    "cert": "SSL_CERT_FILE",
    "trusted-host": "UV_INSECURE_HOST",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "timeout": "UV_HTTP_TIMEOUT",
}
"""`timeout` is seconds for both programs."""


def settings_for_uv(listed: Iterable[str], environment: Mapping[str, str]) -> dict[str, str]:
    """Environment variables for uv from `pip config list`; existing ones for uv take precedence.

    A line is `global.index-url='https://…'` or, from a variable, `:env:.cert='…'`; the latter take precedence.
    """
    found: dict[str, str] = {}
    for line in sorted(listed, key=lambda line: line.startswith(":env:"), reverse=True):
        key, equals, value = line.partition("=")
        name = SETTINGS.get(key.rpartition(".")[2])
        if equals and name and name not in environment:
            # Several values are separate lines, which pip prints as one string.
            values = value.strip().strip("'\"").replace("\\n", " ").split()
            found.setdefault(name, ",".join(filter(_reachable, values)) if name == LINKS else " ".join(values))
    return found


def _reachable(link: str) -> bool:
    """Whether uv can read it: pip ignores a missing folder, uv fails."""
    return "://" in link or Path(link).expanduser().exists()


def uv_environment(python: Path) -> dict[str, str]:
    """The environment for uv: this process's variables and pip's settings. `python` has pip."""
    listed = subprocess.run(  # noqa: S603  pip of our own environment
        [str(python), "-m", "pip", "config", "list"], check=True, capture_output=True, text=True, timeout=60
    )
    return {**os.environ, **settings_for_uv(listed.stdout.splitlines(), os.environ)}


def uv_program(python: Path) -> Path:
    """Uv in the environment of this interpreter."""
    return python.with_name("uv")


def environment_command(uv: Path, python: Path, requirements: Path) -> list[str]:
    """The command that installs the locked packages into the environment of `python`."""
    words = [str(uv), "pip", "install", "--quiet", "--require-hashes", "--no-deps", "--compile-bytecode"]
    return [*words, "--python", str(python), "--requirement", str(requirements)]
