"""The stages that run the product, each measured for coverage; the sum is held against the gate."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vivero_dev.commands import run
from vivero_dev.errors import ComponentError
from vivero_dev.steps import Say
from vivero_dev.testing.output import failures, outcome, progress
from vivero_dev.testing.parts import Part

ROOT = Path(__file__).resolve().parents[3]
# Twice what all stages may take together on two cores.
STAGE_SECONDS = 2400.0
REPORT_SECONDS = 300.0
# How often a person hears how far a part is.
LOOK_SECONDS = 20.0
# pytest's exit code when no test was selected.
NOTHING_COLLECTED = 5


@dataclass(frozen=True, slots=True)
class Suite:
    """Where results and coverage go, and what the person asked for."""

    folder: Path
    full: bool
    expression: str | None

    def pytest(self, part: Part, environment: Mapping[str, str], say: Say) -> str:
        """Run a part, with its output in a file; its last line. Raises ComponentError with what failed."""
        log = self._folder(part.name) / "output.log"
        code = self._watched(part, environment, log, say)
        text = log.read_text(errors="replace")
        if code == NOTHING_COLLECTED and self.expression is not None:
            return "nothing matches"
        if code != 0:
            raise ComponentError(part.name, f"pytest exited with {code}; its output is in {log}\n{failures(text)}")
        return outcome(text)

    def vivero(self, stage: str, *arguments: str) -> None:
        """Run this tool as a person would, measured and on the terminal; raises ComponentError if it fails."""
        command = [sys.executable, "-m", "coverage", "run", "-m", "vivero_dev.cli", *arguments]
        try:
            done = subprocess.run(  # noqa: S603  words of this package
                command, cwd=ROOT, env=self._variables(stage, {}), check=False, timeout=STAGE_SECONDS
            )
        except subprocess.TimeoutExpired as error:
            raise ComponentError(stage, f"took longer than {STAGE_SECONDS:.0f} s") from error
        if done.returncode != 0:
            raise ComponentError(stage, f"./vivero {' '.join(arguments)} exited with {done.returncode}")

    def report_coverage(self) -> str:
        """Combine what all stages measured; raises ComponentError below the gate of pyproject.toml."""
        environment = {"COVERAGE_FILE": str(self.folder / ".coverage")}
        parts = [str(file) for file in sorted(self.folder.glob("*/.coverage*"))]
        coverage = [sys.executable, "-m", "coverage"]
        run("coverage", [*coverage, "combine", "--keep", "--quiet", *parts], environment=environment, cwd=ROOT)
        report = run("coverage", [*coverage, "report"], environment=environment, cwd=ROOT, timeout=REPORT_SECONDS)
        return next(line for line in report.splitlines() if line.startswith("TOTAL"))

    def _watched(self, part: Part, environment: Mapping[str, str], log: Path, say: Say) -> int:
        """Pytest's exit code; raises ComponentError when it is still running after STAGE_SECONDS."""
        command = [sys.executable, "-m", "pytest", *part.places, *self._options(part)]
        variables = self._variables(part.name, environment)
        with (
            log.open("wb") as output,
            subprocess.Popen(  # noqa: S603  words of this package, and the expression as one argument
                command,
                cwd=ROOT,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            ) as running,
        ):
            for _ in range(int(STAGE_SECONDS / LOOK_SECONDS)):
                try:
                    return running.wait(LOOK_SECONDS)
                except subprocess.TimeoutExpired:
                    say(progress(log))
            running.kill()
            raise ComponentError(part.name, f"took longer than {STAGE_SECONDS:.0f} s", log)

    def _variables(self, stage: str, environment: Mapping[str, str]) -> dict[str, str]:
        return os.environ | dict(environment) | {"COVERAGE_FILE": str(self._folder(stage) / ".coverage")}

    def _folder(self, stage: str) -> Path:
        """What is kept of a stage."""
        folder = self.folder / re.sub(r"\W+", "-", stage)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _options(self, part: Part) -> Sequence[str]:
        # The gate is for the sum; a stage alone would fail it.
        options = ["--durations=20", "--durations-min=2", "--cov", "--cov-report=", "--cov-fail-under=0"]
        marks = [f"({expression})" for expression in (part.marks, "" if self.full else "not full") if expression]
        if marks:
            options += ["-m", " and ".join(marks)]
        if part.processes > 1:
            options.append(f"--numprocesses={part.processes}")
        if self.expression is not None:
            options += ["-k", self.expression]
        return options
