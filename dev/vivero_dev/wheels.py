"""Python packages, installed by uv from hash-locked files, with the index settings that this machine gave to pip.

Needs nothing but Python's own library: `./vivero` makes its own environment with it, before any package is there.
"""

import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

LINKS = "UV_FIND_LINKS"
# uv's name for each of pip's options. uv reads no configuration of pip's.
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
    """Variables that tell uv what `pip config list` says; what the person has set for uv already stays.

    A line is `global.index-url='https://…'` or, from a variable, `:env:.cert='…'`; the latter come first in effect.
    """
    found: dict[str, str] = {}
    for line in sorted(listed, key=lambda line: line.startswith(":env:"), reverse=True):
        key, equals, value = line.partition("=")
        name = SETTINGS.get(key.rpartition(".")[2])
        if equals and name and name not in environment:
            # Several values stand in lines of their own, which pip prints as one string.
            values = value.strip().strip("'\"").replace("\\n", " ").split()
            found.setdefault(name, ",".join(filter(_reachable, values)) if name == LINKS else " ".join(values))
    return found


def _reachable(link: str) -> bool:
    """Whether uv can read it: pip passes over a folder that is not there, and uv fails."""
    return "://" in link or Path(link).expanduser().exists()


def uv_environment(python: Path) -> dict[str, str]:
    """What uv is started with: this process's variables and pip's settings. `python` has pip."""
    listed = subprocess.run(  # noqa: S603  pip of our own environment
        [str(python), "-m", "pip", "config", "list"], check=True, capture_output=True, text=True, timeout=60
    )
    return {**os.environ, **settings_for_uv(listed.stdout.splitlines(), os.environ)}


def uv_program(python: Path) -> Path:
    """Uv in the environment of this interpreter."""
    return python.with_name("uv")


def environment_command(uv: Path, python: Path, requirements: Path) -> list[str]:
    """Words that install the locked packages into the environment of `python`."""
    words = [str(uv), "pip", "install", "--quiet", "--require-hashes", "--no-deps", "--compile-bytecode"]
    return [*words, "--python", str(python), "--requirement", str(requirements)]
