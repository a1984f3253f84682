"""pytest in its stages, each measured for coverage; the sum is held against the gate."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vivero_dev.commands import run
from vivero_dev.errors import ComponentError

ROOT = Path(__file__).resolve().parents[3]
WITHOUT_PLATFORM = ("tests/unit", "tests/reconcile")
WITH_PLATFORM = ("tests/integration", "tests/e2e")
# Twice what all stages may take together on two cores.
STAGE_SECONDS = 2400.0
NOTHING_COLLECTED = 5


@dataclass(frozen=True, slots=True)
class Suite:
    """Where coverage goes, and what the person asked for."""

    folder: Path
    full: bool
    expression: str | None

    def run(self, name: str, places: Sequence[str], environment: dict[str, str], *options: str) -> None:
        """Run pytest with its output on the terminal; raises ComponentError unless all passed."""
        existing = [place for place in places if any((ROOT / place).rglob("test_*.py"))]
        command = [sys.executable, "-m", "pytest", *existing, *self._options(), *options]
        data = {"COVERAGE_FILE": str(self._data(name))}
        # Its output is the person's to read while it runs: nothing is captured.
        try:
            done = subprocess.run(  # noqa: S603  words of this module, and the expression as one argument
                command, cwd=ROOT, env=os.environ | environment | data, check=False, timeout=STAGE_SECONDS
            )
        except subprocess.TimeoutExpired as error:
            raise ComponentError(f"{name} tests", f"took longer than {STAGE_SECONDS:.0f} s") from error
        nothing = done.returncode == NOTHING_COLLECTED and self.expression is not None
        if done.returncode != 0 and not nothing:
            raise ComponentError(f"{name} tests", f"pytest exited with {done.returncode}")

    def report_coverage(self, names: Sequence[str]) -> str:
        """Combine the stages' data; raises ComponentError below the gate of pyproject.toml."""
        environment = {"COVERAGE_FILE": str(self.folder / ".coverage")}
        parts = [str(self._data(name)) for name in names if self._data(name).exists()]
        coverage = [sys.executable, "-m", "coverage"]
        run("coverage", [*coverage, "combine", "--keep", *parts], environment=environment, cwd=ROOT)
        report = run("coverage", [*coverage, "report"], environment=environment, cwd=ROOT, timeout=300)
        return report.strip().splitlines()[-1]

    def _data(self, name: str) -> Path:
        return self.folder / f"coverage-{name}"

    def _options(self) -> list[str]:
        # The gate is for the sum; a stage alone would fail it.
        options = ["--cov", "--cov-report=", "--cov-fail-under=0"]
        if not self.full:
            options += ["-m", "not full"]
        if self.expression is not None:
            options += ["-k", self.expression]
        return options
