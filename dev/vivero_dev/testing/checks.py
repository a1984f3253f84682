"""What is checked without running the product: style, types, layers, generated files."""

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vivero_dev.commands import run
from vivero_dev.errors import ComponentError
from vivero_dev.instance import cache_root

ROOT = Path(__file__).resolve().parents[3]
CHECK_SECONDS = 600.0
GENERATORS = ("vivero_operator.generated", "vivero_dev.grafana")
"""Each writes its files below a folder."""


@dataclass(frozen=True, slots=True)
class Check:
    """A named check; `run` raises ComponentError with the tool's own words."""

    name: str
    run: Callable[[], None]


def source_checks() -> list[Check]:
    """Checks that need nothing but this virtual environment, cheapest first."""
    return [
        Check("ruff format", lambda: _module("ruff", "format", "--check", ".")),
        Check("ruff check", lambda: _module("ruff", "check", ".")),
        Check("import layers", lambda: _script("lint-imports")),
        Check("generated files", compare_generated),
        # Clones share what was checked: mypy goes by what is in a file, not by where it lies.
        Check("mypy", lambda: _module("mypy", f"--cache-dir={cache_root() / 'mypy'}")),
    ]


def compare_generated() -> None:
    """Definitions and rights follow from the operator's registry of kinds, dashboards from the console's."""
    for module in GENERATORS:
        _compare(module)


def _compare(module: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _module(module, folder)
        for file in sorted(one for one in Path(folder).rglob("*") if one.is_file()):
            kept = ROOT / file.relative_to(folder)
            if not kept.exists() or kept.read_text() != file.read_text():
                raise ComponentError(str(kept), f"is not current; run python -m {module}")


def _module(module: str, *arguments: str) -> None:
    run(module, [sys.executable, "-m", module, *arguments], cwd=ROOT, timeout=CHECK_SECONDS)


def _script(name: str, *arguments: str) -> None:
    """A console script of this virtual environment."""
    run(name, [Path(sys.executable).with_name(name), *arguments], cwd=ROOT, timeout=CHECK_SECONDS)
