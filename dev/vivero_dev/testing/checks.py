"""What is checked without running the product: style, types, layers, generated files."""

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vivero_dev.commands import run
from vivero_dev.errors import ComponentError

ROOT = Path(__file__).resolve().parents[3]
CHECK_SECONDS = 600.0


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
        Check("generated definitions", compare_definitions),
        Check("mypy", lambda: _module("mypy")),
    ]


def compare_definitions() -> None:
    """crds/ and the chart's copies are what the models generate."""
    with tempfile.TemporaryDirectory() as folder:
        _module("vivero_core.model.crd", folder)
        fresh = {file.name: file.read_text() for file in Path(folder).glob("*.yaml")}
    for place in (ROOT / "crds", ROOT / "charts" / "vivero-crds" / "templates"):
        kept = {file.name: file.read_text() for file in place.glob("*.yaml")}
        if kept != fresh:
            raise ComponentError(str(place), "differs from the models; run python -m vivero_core.model.crd crds/")


def _module(module: str, *arguments: str) -> None:
    run(module, [sys.executable, "-m", module, *arguments], cwd=ROOT, timeout=CHECK_SECONDS)


def _script(name: str, *arguments: str) -> None:
    """A console script of this virtual environment."""
    run(name, [Path(sys.executable).with_name(name), *arguments], cwd=ROOT, timeout=CHECK_SECONDS)
