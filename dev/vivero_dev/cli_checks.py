"""test: everything that has to hold before a change is merged, in one command."""

import argparse
import fcntl
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from vivero_dev.assets import ensure_assets
from vivero_dev.cli_platform import take_down
from vivero_dev.display import make_display
from vivero_dev.errors import ComponentError, DevError
from vivero_dev.instance import (
    DEFAULT_NAME,
    cache_root,
    load_instance,
    open_instance,
    state_root,
)
from vivero_dev.provider import Provider
from vivero_dev.providers import provider_for
from vivero_dev.status import as_json
from vivero_dev.steps import failure_text, run_steps
from vivero_dev.testing.charts import check_charts
from vivero_dev.testing.checks import ROOT, source_checks
from vivero_dev.testing.suite import WITH_PLATFORM, WITHOUT_PLATFORM, Suite
from vivero_dev.up import Platform


@dataclass(frozen=True, slots=True)
class Result:
    """How one stage of the run ended; `problem` is empty when it passed."""

    stage: str
    seconds: float
    problem: str = ""


@dataclass(slots=True)
class Report:
    """The stages so far."""

    console: Console
    results: list[Result] = field(default_factory=list)

    def run(self, stage: str, work: Callable[[], object]) -> bool:
        """Run a stage; a failure is told and remembered, the next stages still run."""
        self.console.rule(stage, align="left", style="dim")
        begin = time.monotonic()
        problem = ""
        try:
            said = work()
            if isinstance(said, str) and said:
                self.console.print(said, markup=False, highlight=False, soft_wrap=True)
        except DevError as error:
            problem = failure_text(stage, error)
            self.console.print(problem, style="red", markup=False, highlight=False, soft_wrap=True)
        self.results.append(Result(stage, time.monotonic() - begin, problem))
        return not problem

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


def test(options: argparse.Namespace, console: Console) -> int:
    report = Report(console)
    # A run of its own beside the platform that a person has up, unless told which.
    name = options.instance if options.instance != DEFAULT_NAME else clone_name(ROOT)
    with _alone(name):
        folder = state_root() / f"{name}.results"
        folder.mkdir(exist_ok=True)
        for old in folder.glob("*coverage*"):
            old.unlink()
        suite = Suite(folder, options.full, options.expression)
        if options.expression is None:
            for check in source_checks():
                report.run(check.name, check.run)
        report.run("assets", lambda: ensure_assets(cache_root(), folder / "assets.log", console.print))
        report.run("unit tests", lambda: suite.run("unit", WITHOUT_PLATFORM, {}, "--numprocesses=2"))
        _on_platform(name, options, report, suite)
        if options.expression is None:
            report.run("coverage", lambda: suite.report_coverage(("unit", "platform")))
    console.print(report.table())
    return 0 if report.passed else 1


def clone_name(root: Path) -> str:
    """An instance name that belongs to this clone alone."""
    return f"test-{hashlib.sha256(str(root).encode()).hexdigest()[:8]}"


def _on_platform(name: str, options: argparse.Namespace, report: Report, suite: Suite) -> None:
    """Bring the clone's own instance up, run what needs it, take it down whatever happened."""
    stale = load_instance(name)
    if stale is not None:
        take_down(provider_for(stale, options.provider), report.console, erase=True)
    instance = open_instance(name)
    provider = provider_for(instance, options.provider)
    try:
        if report.run("platform up", lambda: _up(provider, report.console)):
            status = write_status(provider)
            if options.expression is None:
                report.run("charts", lambda: check_charts(provider))
            report.run("platform tests", lambda: suite.run("platform", WITH_PLATFORM, {"VIVERO_STATUS": str(status)}))
    finally:
        if not options.keep:
            # A failed run leaves its logs and data to look at; the next run deletes them.
            erase = report.passed
            report.run("platform down", lambda: take_down(provider, report.console, erase=erase))
            if not erase:
                report.console.print(f"Logs of the run: {instance.log_dir}", highlight=False)


def _up(provider: Provider, console: Console) -> None:
    with make_display(console) as display:
        run_steps(Platform(provider).steps(), display)


def write_status(provider: Provider) -> Path:
    """The status as a file, for tests that other programs run."""
    file = provider.instance.state_dir / "status.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps(as_json(provider), indent=2) + "\n")
    return file


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """One test run of a clone at a time: two would take each other's platform down."""
    state_root().mkdir(parents=True, exist_ok=True)
    with (state_root() / f"{name}.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ComponentError(f"instance {name}", "another ./vivero test of this clone is running") from error
        yield


COMMANDS: dict[str, Callable[[argparse.Namespace, Console], int]] = {"test": test}
