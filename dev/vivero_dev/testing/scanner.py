"""wapiti, a scanner of web programs, in an environment of its own: its packages contradict ours."""

import sys
from pathlib import Path

from vivero_dev.commands import run, work
from vivero_dev.native.tools import tool_store
from vivero_dev.wheels import environment_command, uv_environment, uv_program

_REQUIREMENTS = Path(__file__).resolve().parents[3] / "requirements" / "wapiti.txt"
# The locked wapiti installs on no later one.
_PYTHON = ">=3.11,<3.13"


def ensure_scanner(cache_dir: Path, log: Path) -> list[str]:
    """Install it unless the cache has it; returns the words that run it. Raises ComponentError."""
    store = tool_store(cache_dir)

    def make(target: Path) -> None:
        uv = uv_program(Path(sys.executable))
        run(
            "wapiti",
            [uv, "venv", "--quiet", "--no-python-downloads", "--python", _PYTHON, "--allow-existing", target],
            log=log,
        )
        words = environment_command(uv, target / "bin/python", _REQUIREMENTS)
        work("wapiti", words, log=log, environment=uv_environment(Path(sys.executable)))

    folder = store.ensure(store.entry("wapiti", _REQUIREMENTS.read_text(), _PYTHON), make)
    # Through its interpreter: the script's own first line names the folder in which it was made.
    return [str(folder / "bin/python"), str(folder / "bin/wapiti")]
