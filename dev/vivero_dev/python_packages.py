"""Locked Python packages, installed by the uv of the running environment."""

import sys
from pathlib import Path

from vivero_dev.commands import run, run_long
from vivero_dev.wheels import environment_command, uv_environment, uv_program

_PYTHON = Path(sys.executable)


def install_wheels(component: str, requirements: Path, target: Path, log: Path, *options: str) -> None:
    """Install hash-locked wheels into a folder; `component` names the work in the error. Raises ComponentError."""
    words = [str(uv_program(_PYTHON)), "pip", "install", "--quiet", "--require-hashes", "--no-deps"]
    words += ["--only-binary", ":all:", "--target", str(target), "--requirement", str(requirements), *options]
    run_long(component, words, log=log, environment=uv_environment(_PYTHON))


def install_environment(component: str, requirements: Path, target: Path, log: Path, python: str) -> None:
    """Make a virtual environment with locked packages, of a Python whose version is in the range `python`."""
    uv = uv_program(_PYTHON)
    words = [str(uv), "venv", "--quiet", "--no-python-downloads", "--python", python, "--allow-existing", str(target)]
    run(component, words, log=log)
    words = environment_command(uv, target / "bin/python", requirements)
    run_long(component, words, log=log, environment=uv_environment(_PYTHON))
