"""The stages that run the product, each measured for coverage; the sum is held against the gate."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vivero_dev.commands import run
from vivero_dev.errors import ComponentError

ROOT = Path(__file__).resolve().parents[3]
WITHOUT_PLATFORM = ("tests/unit", "tests/reconcile", "tests/faults")
# A process each: what one prepares for its whole run is gone before the next
# begins. End to end first, while the platform holds nothing but its demo tenant.
WITH_PLATFORM = {"end-to-end tests": ("tests/e2e",), "integration tests": ("tests/integration",)}
# Twice what all stages may take together on two cores.
STAGE_SECONDS = 2400.0
REPORT_SECONDS = 300.0
# pytest's exit code when no test was selected.
NOTHING_COLLECTED = 5


@dataclass(frozen=True, slots=True)
class Suite:
    """Where coverage goes, and what the person asked for."""

    folder: Path
    full: bool
    expression: str | None

    def pytest(self, stage: str, places: Sequence[str], environment: dict[str, str], *options: str) -> None:
        """Run pytest with its output on the terminal; raises ComponentError unless all passed."""
        existing = [place for place in places if any((ROOT / place).rglob("test_*.py"))]
        command = ["pytest", *existing, "--durations=20", "--durations-min=2", *self._options(), *options]
        code = self._run(stage, command, environment)
        nothing = code == NOTHING_COLLECTED and self.expression is not None
        if code != 0 and not nothing:
            raise ComponentError(stage, f"pytest exited with {code}")

    def vivero(self, stage: str, *arguments: str) -> None:
        """Run this tool as a person would, measured; raises ComponentError if it fails."""
        code = self._run(stage, ["coverage", "run", "-m", "vivero_dev.cli", *arguments], {})
        if code != 0:
            raise ComponentError(stage, f"./vivero {' '.join(arguments)} exited with {code}")

    def report_coverage(self) -> str:
        """Combine what all stages measured; raises ComponentError below the gate of pyproject.toml."""
        environment = {"COVERAGE_FILE": str(self.folder / ".coverage")}
        parts = [str(file) for file in sorted(self.folder.glob("*/.coverage*"))]
        coverage = [sys.executable, "-m", "coverage"]
        run("coverage", [*coverage, "combine", "--keep", "--quiet", *parts], environment=environment, cwd=ROOT)
        report = run("coverage", [*coverage, "report"], environment=environment, cwd=ROOT, timeout=REPORT_SECONDS)
        return next(line for line in report.splitlines() if line.startswith("TOTAL"))

    def _run(self, stage: str, module: Sequence[str], environment: dict[str, str]) -> int:
        """Its output is the person's to read while it runs: nothing is captured."""
        data = self.folder / stage.replace(" ", "-")
        data.mkdir(parents=True, exist_ok=True)
        variables = os.environ | environment | {"COVERAGE_FILE": str(data / ".coverage")}
        try:
            done = subprocess.run(  # noqa: S603  words of this module, and the expression as one argument
                [sys.executable, "-m", *module], cwd=ROOT, env=variables, check=False, timeout=STAGE_SECONDS
            )
        except subprocess.TimeoutExpired as error:
            raise ComponentError(stage, f"took longer than {STAGE_SECONDS:.0f} s") from error
        return done.returncode

    def _options(self) -> list[str]:
        # The gate is for the sum; a stage alone would fail it.
        options = ["--cov", "--cov-report=", "--cov-fail-under=0"]
        if not self.full:
            options += ["-m", "not full"]
        if self.expression is not None:
            options += ["-k", self.expression]
        return options
