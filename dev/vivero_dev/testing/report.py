"""How the stages of a run ended, told while it goes on and in a table at its end."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from vivero_dev.errors import DevError
from vivero_dev.steps import failure_text
from vivero_dev.testing.durations import Duration


@dataclass(frozen=True, slots=True)
class Result:
    """How one stage of the run ended; `problem` is empty when it passed."""

    stage: str
    seconds: float
    problem: str = ""


def timed(stage: str, work: Callable[[], str]) -> tuple[Result, str]:
    """Run a stage to its end; its result and what it said, which is nothing where it failed."""
    begin = time.monotonic()
    try:
        said = work()
    except DevError as error:
        return Result(stage, time.monotonic() - begin, failure_text(stage, error)), ""
    return Result(stage, time.monotonic() - begin), said


@dataclass(slots=True)
class Report:
    """The stages so far."""

    console: Console
    results: list[Result] = field(default_factory=list)

    def run(self, stage: str, work: Callable[[], object]) -> bool:
        """Run a stage; a failure is told and remembered, the next stages still run."""
        self.console.rule(stage, align="left", style="dim")
        result, said = timed(stage, lambda: str(work() or ""))
        if said:
            self.console.print(said, markup=False, highlight=False, soft_wrap=True)
        self.add([result])
        return not result.problem

    def add(self, results: Iterable[Result]) -> None:
        """Remember stages that have ended, and tell of those that failed."""
        for result in results:
            self.results.append(result)
            if result.problem:
                self.console.print(result.problem, style="red", markup=False, highlight=False, soft_wrap=True)

    def durations(self) -> list[Duration]:
        """Of the stages, in their order."""
        return [Duration(result.seconds, result.stage) for result in self.results]

    @property
    def passed(self) -> bool:
        """Whether no stage failed."""
        return not any(result.problem for result in self.results)

    def table(self) -> Table:
        table = Table(title="passed" if self.passed else "FAILED", title_justify="left")
        for heading in ("Stage", "Result", "Seconds"):
            table.add_column(heading)
        for result in self.results:
            word = "[red]failed[/]" if result.problem else "[green]passed[/]"
            table.add_row(result.stage, word, f"{result.seconds:.0f}")
        return table
