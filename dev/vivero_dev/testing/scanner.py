"""wapiti, a scanner of web programs, in an environment of its own: its packages contradict ours."""

from pathlib import Path

from vivero_dev.native.tools import tool_store
from vivero_dev.python_packages import install_environment

_REQUIREMENTS = Path(__file__).resolve().parents[3] / "requirements" / "wapiti.txt"
# The locked wapiti installs on no later one.
_PYTHON = ">=3.11,<3.13"


def ensure_scanner(cache_dir: Path, log: Path) -> list[str]:
    """Install it unless the cache has it; returns the words that run it. Raises ComponentError."""
    store = tool_store(cache_dir)

    folder = store.ensure(
        store.entry("wapiti", _REQUIREMENTS.read_text(), _PYTHON),
        lambda target: install_environment("wapiti", _REQUIREMENTS, target, log, _PYTHON),
    )
    # Through its interpreter: the script's own first line names the folder in which it was made.
    return [str(folder / "bin/python"), str(folder / "bin/wapiti")]
