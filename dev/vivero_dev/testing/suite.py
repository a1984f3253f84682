"""The stages that run the product, each measured for coverage; the sum is held against the gate."""

import math
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vivero_dev.commands import run
from vivero_dev.errors import ComponentError
from vivero_dev.steps import Say
from vivero_dev.testing import ending
from vivero_dev.testing.durations import Duration, beyond, durations, slowest, table
from vivero_dev.testing.output import failures, outcome, progress
from vivero_dev.testing.parts import Part

ROOT = Path(__file__).resolve().parents[3]
# For `./vivero up`, which compiles Kubernetes on a machine that has none yet.
VIVERO_SECONDS = 2400.0
REPORT_SECONDS = 300.0
# For what an interrupted run still has to say and to take down.
GRACE_SECONDS = 60.0
# Events of the interpreter, each told once, instead of a trace of every line: tests then take about as long as without
# coverage. This core knows no greenlets, and needs not to; coverage asks for Python 3.14 to measure branches with it.
COVERAGE_CORE = (
    {"COVERAGE_CORE": "sysmon", "VIVERO_COVERAGE_CONCURRENCY": "thread"} if sys.version_info >= (3, 12) else {}
)
# Each part, and each program that it starts, would compile all modules again.
UNCOMPILED = "PYTHONDONTWRITEBYTECODE"
# How often a person hears how far a part is.
LOOK_SECONDS = 20.0
# pytest's exit code when no test was selected.
NOTHING_COLLECTED = 5
LOG = "output.log"
JUNIT = "junit.xml"
DURATIONS = "durations.txt"
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Suite:
    """Where results and coverage go, and what the person asked for."""

    folder: Path
    expression: str | None = None
    full: bool = False
    measured: bool = True
    """For coverage."""

    def pytest(self, part: Part, environment: Mapping[str, str], say: Say) -> str:
        """Run a part, with its output in a file; its last line. Raises ComponentError with what failed or took too long."""
        folder = self._folder(part.name)
        budget = part.budget.for_full() if self.full else part.budget
        code = self._watched(part, environment, budget.part, say)
        text = (folder / LOG).read_text(errors="replace")
        late = beyond(durations(folder / JUNIT), budget.test)
        if code == NOTHING_COLLECTED and self.expression is not None:
            return "nothing matches"
        if code != 0:
            raise ComponentError(
                part.name, f"pytest exited with {code}; its output is in {folder / LOG}\n{failures(text)}"
            )
        if late:
            raise ComponentError(part.name, f"these tests took longer than {budget.test:.0f} s:\n{table(late)}")
        return outcome(text)

    def keep_durations(self, stages: Sequence[Duration]) -> str:
        """Keep those of all stages and tests in a file of the results; the slowest tests."""
        found = slowest(one for junit in self.folder.glob(f"*/{JUNIT}") for one in durations(junit))
        (self.folder / DURATIONS).write_text(f"{table(stages)}\n\n{table(found)}\n")
        return table(found[:SHOWN])

    def vivero(self, stage: str, *arguments: str) -> None:
        """Run this tool as a person would, measured and on the terminal; raises ComponentError if it fails."""
        command = [sys.executable, "-m", "coverage", "run", "-m", "vivero_dev.cli", *arguments]
        try:
            done = subprocess.run(  # noqa: S603  words of this package
                command, cwd=ROOT, env=self._variables(stage, {}), check=False, timeout=VIVERO_SECONDS
            )
        except subprocess.TimeoutExpired as error:
            raise ComponentError(stage, f"took longer than {VIVERO_SECONDS:.0f} s") from error
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

    def _watched(self, part: Part, environment: Mapping[str, str], seconds: float, say: Say) -> int:
        """Pytest's exit code; a run that takes longer than this is interrupted, and raises ComponentError."""
        folder = self._folder(part.name)
        with (
            (folder / LOG).open("wb") as output,
            subprocess.Popen(  # noqa: S603  words of this package, and the expression as one argument
                self._command(part),
                cwd=ROOT,
                env=self._variables(part.name, environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            ) as running,
        ):
            for _ in range(math.ceil(seconds / LOOK_SECONDS)):
                with suppress(subprocess.TimeoutExpired):
                    return running.wait(LOOK_SECONDS)
                if share := progress(folder / LOG):
                    say(share)
            running.terminate()
            with suppress(subprocess.TimeoutExpired):
                running.wait(GRACE_SECONDS)
            running.kill()
        raise ComponentError(part.name, f"took longer than {seconds:.0f} s", folder / LOG)

    def _variables(self, stage: str, environment: Mapping[str, str]) -> dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if name != UNCOMPILED},
            **COVERAGE_CORE,
            **environment,
            "COVERAGE_FILE": str(self._folder(stage) / ".coverage"),
        }

    def _folder(self, stage: str) -> Path:
        """What is kept of a stage."""
        folder = self.folder / re.sub(r"\W+", "-", stage)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _command(self, part: Part) -> list[str]:
        return [sys.executable, "-m", "pytest", "-p", ending.__name__, *part.places, *self._options(part)]

    def _options(self, part: Part) -> Sequence[str]:
        options = [f"--junitxml={self._folder(part.name) / JUNIT}"]
        if self.measured:
            # The gate is for the sum; a stage alone would fail it.
            options += ["--cov", "--cov-report=", "--cov-fail-under=0"]
        marks = [f"({expression})" for expression in (part.marks, "" if self.full else "not full") if expression]
        if marks:
            options += ["-m", " and ".join(marks)]
        if part.processes > 1:
            options.append(f"--numprocesses={part.processes}")
        if self.expression is not None:
            options += ["-k", self.expression]
        return options
