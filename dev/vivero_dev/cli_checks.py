"""test: everything that has to hold before a change is merged, in one command."""

import argparse
import fcntl
import hashlib
import json
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from rich.console import Console

from vivero_dev.assets import ensure_assets
from vivero_dev.display import make_display
from vivero_dev.errors import ComponentError
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
from vivero_dev.steps import silently
from vivero_dev.testing.browser import ensure_browser
from vivero_dev.testing.charts import check_charts
from vivero_dev.testing.checks import ROOT, source_checks
from vivero_dev.testing.lanes import run_lanes
from vivero_dev.testing.load import busy_processor
from vivero_dev.testing.parts import WITH_PLATFORM, WITHOUT_PLATFORM, Lanes, Part
from vivero_dev.testing.report import Report
from vivero_dev.testing.suite import Suite

# All browsers and clients of a run share one address; tests create the pools that they need, and leave nothing behind. A run
# at half past two is one as at any other time.
TESTS_OPTIONS = (
    "--requests-per-minute=6000",
    "--pool=0",
    "--proofs=0",
    "--undo-days=0",
    "--no-scheduled-backups",
)


def test(options: argparse.Namespace, console: Console) -> int:
    report = Report(console)
    console.print(f"Python {platform.python_version()}, {sys.executable}", highlight=False, soft_wrap=True)
    # By default an instance of its own, separate from the platform in use.
    name = options.instance if options.instance != DEFAULT_NAME else clone_name(ROOT)
    with _locked(name), busy_processor() if options.under_load else nullcontext():
        folder = state_root() / f"{name}.results"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        suite = Suite(folder, options.expression, full=options.full, measured=not options.fast)
        whole = options.expression is None
        for check in source_checks() if whole else []:
            report.run(check.name, check.run)
        report.run("assets", lambda: ensure_assets(cache_root(), folder / "assets.log", silently))
        if options.fast or not _on_platforms(name, options, report, suite):
            _run_tests(WITHOUT_PLATFORM, lambda _: {}, report, suite)
        if whole and suite.measured:
            report.run("coverage", suite.report_coverage)
        report.run("slowest tests", lambda: suite.keep_durations(report.durations()))
        console.print(f"Output, durations and JUnit files of the run: {folder}", highlight=False, soft_wrap=True)
    console.print(report.table())
    return 0 if report.passed else 1


def clone_name(root: Path) -> str:
    """An instance name that belongs to this clone alone."""
    return f"test-{hashlib.sha256(str(root).encode()).hexdigest()[:8]}"


def _on_platforms(name: str, options: argparse.Namespace, report: Report, suite: Suite) -> bool:
    """Bring up two instances of the clone, run all tests, and always take them down; returns whether they came up."""
    up: list[str] = []
    try:
        for one in (name, f"{name}-alone"):
            if load_instance(one) is not None:
                _manage("reset", one, options, report, suite)
            if not _manage("up", one, options, report, suite, *TESTS_OPTIONS):
                return False
            up.append(one)
        _run_on(*(provider_for(open_instance(one), options.provider) for one in up), report=report, suite=suite)
    finally:
        if not options.keep:
            # A failed run leaves its logs and data to look at; the next run deletes them.
            action = "reset" if report.passed else "down"
            for one in up:
                _manage(action, one, options, report, suite)
                if action == "down":
                    report.console.print(f"Logs of the run: {state_root() / one / 'logs'}", highlight=False)
    return True


def _manage(
    action: str, instance: str, options: argparse.Namespace, report: Report, suite: Suite, *arguments: str
) -> bool:
    """Run a command of this tool on an instance; whether it succeeded."""
    stage = f"{action} {instance}"
    which = (f"--instance={instance}", f"--provider={options.provider}")
    return report.run(stage, lambda: suite.vivero(stage, action, *which, *arguments))


def _run_on(shared: Provider, alone: Provider, *, report: Report, suite: Suite) -> None:
    """Tests that carry the mark `alone` have the second platform for themselves."""
    if suite.expression is None:
        report.run("status", lambda: suite.vivero("status", "status", f"--instance={shared.instance.name}"))
        report.run("charts", lambda: check_charts(shared))
    report.run("browser", lambda: ensure_browser(state_root() / "browser.log"))
    files = {False: str(write_status(shared)), True: str(write_status(alone))}
    _run_tests(WITH_PLATFORM, lambda part: {"VIVERO_STATUS": files[part.alone]}, report, suite)


def _run_tests(lanes: Lanes, environment: Callable[[Part], dict[str, str]], report: Report, suite: Suite) -> None:
    """Run independent lanes of tests in parallel; report failures after all have ended."""
    names = " beside ".join(", ".join(part.name for part in lane) for lane in lanes)
    report.console.rule(names, align="left", style="dim")
    with make_display(report.console) as display:
        results = run_lanes(lanes, lambda part, say: suite.pytest(part, environment(part), say), display)
    report.add(results)


def write_status(provider: Provider) -> Path:
    """The status as a file, for tests that other programs run."""
    file = provider.instance.state_dir / "status.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps(as_json(provider), indent=2) + "\n")
    return file


@contextmanager
def _locked(name: str) -> Iterator[None]:
    """One test run of a clone at a time: two would take each other's platform down."""
    state_root().mkdir(parents=True, exist_ok=True)
    with (state_root() / f"{name}.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ComponentError(f"instance {name}", "another ./vivero test of this clone is running") from error
        yield


COMMANDS: dict[str, Callable[[argparse.Namespace, Console], int]] = {"test": test}
