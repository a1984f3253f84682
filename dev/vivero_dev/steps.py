"""Named steps with dependencies: run in parallel, timed, with progress output.

Steps are idempotent: each checks the current state and does only what is missing,
so an interrupted run is resumed by running everything again. Independent steps
run in parallel threads.
"""

import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Protocol

from vivero_dev.errors import ComponentError, DevError
from vivero_dev.logfiles import tail
from vivero_dev.progress import Progress

# More threads than cores: most steps wait for a download or a readiness probe.
MAX_PARALLEL = 6


class Display(Protocol):
    """Output for progress: a live table on a terminal, plain lines elsewhere."""

    def started(self, step: str) -> None: ...

    def said(self, step: str, text: str) -> None: ...

    def finished(self, step: str, outcome: str, seconds: float) -> None: ...

    def failed(self, step: str, seconds: float) -> None: ...

    def progressed(self, share: float, left: float) -> None:
        """Overall progress from 0 to 1, and approximate seconds left."""


class Say(Protocol):
    """Reports what a step is doing and, if known, the share of its work that is done, from 0 to 1."""

    def __call__(self, text: str, share: float = 0.0) -> None: ...


def silently(text: str, share: float = 0.0) -> None:
    """A `Say` that discards its messages."""


@dataclass(frozen=True, slots=True)
class Step:
    """One idempotent piece of work.

    `run` gets a function to report what it is doing and returns the outcome in a
    few words ("started", "unchanged"). `needs` names the steps it depends on.
    `expected` estimates, before anything runs, its CPU seconds: nearly none if a
    cache has its result.
    """

    name: str
    run: Callable[[Say], str]
    needs: tuple[str, ...] = ()
    expected: Callable[[], float] = lambda: 1.0


@dataclass(frozen=True, slots=True)
class StepTime:
    """Duration of a finished step in seconds, and its outcome."""

    name: str
    outcome: str
    seconds: float


class StepFailedError(DevError):
    """A step failed; `str()` is the full message for the terminal, with the tail of the log."""

    def __init__(self, step: str, cause: Exception) -> None:
        super().__init__(failure_text(step, cause))
        self.step = step
        self.cause = cause


def run_steps(steps: Sequence[Step], display: Display) -> list[StepTime]:
    """Run all steps in the order of their dependencies; raise StepFailedError for the first that fails.

    After a failure no further step starts; running ones are awaited.
    """
    _check_graph(steps)
    waiting = list(steps)
    running: dict[Future[StepTime], Step] = {}
    done: list[StepTime] = []
    failure: StepFailedError | None = None
    progress = _Reported(Progress({step.name: step.expected() for step in steps}), display, time.monotonic())
    with ThreadPoolExecutor(MAX_PARALLEL) as pool:
        while running or (waiting and failure is None):
            if failure is None:
                for step in _startable(waiting, {item.name for item in done}):
                    waiting.remove(step)
                    running[pool.submit(_run_one, step, display, progress)] = step
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                step = running.pop(future)
                cause = future.exception()
                if cause is None:
                    done.append(future.result())
                elif isinstance(cause, Exception):
                    failure = failure or StepFailedError(step.name, cause)
                else:
                    raise cause
    if failure is not None:
        raise failure from failure.cause
    return done


def failure_text(step: str, cause: Exception) -> str:
    """What failed, why, and the tail of its log; for an unexpected exception its traceback."""
    lines = [f"{step} failed: {cause}"]
    if not isinstance(cause, DevError):
        lines += traceback.format_exception(cause)
    if isinstance(cause, ComponentError) and cause.log is not None:
        lines += [f"End of {cause.log}:", *(f"  {line}" for line in tail(cause.log).splitlines())]
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class _Reported:
    """Progress that is forwarded to the display."""

    progress: Progress
    display: Display
    begin: float

    def reached(self, step: str, share: float) -> None:
        self.progress.reached(step, share)
        self.display.progressed(self.progress.share, self.progress.left(time.monotonic() - self.begin))


def _run_one(step: Step, display: Display, progress: _Reported) -> StepTime:
    begin = time.monotonic()
    display.started(step.name)

    def say(text: str, share: float = 0.0) -> None:
        display.said(step.name, text)
        progress.reached(step.name, share)

    try:
        outcome = step.run(say)
    except BaseException:
        display.failed(step.name, time.monotonic() - begin)
        raise
    seconds = time.monotonic() - begin
    display.finished(step.name, outcome, seconds)
    progress.reached(step.name, 1.0)
    return StepTime(step.name, outcome, seconds)


def _startable(waiting: Sequence[Step], done: set[str]) -> list[Step]:
    return [step for step in waiting if done.issuperset(step.needs)]


def _check_graph(steps: Sequence[Step]) -> None:
    """Every dependency must be an earlier step, which also excludes cycles."""
    seen: set[str] = set()
    for step in steps:
        missing = set(step.needs) - seen
        if missing:
            raise DevError(f"step {step.name} needs {', '.join(sorted(missing))}, which no earlier step is")
        if step.name in seen:
            raise DevError(f"two steps are called {step.name}")
        seen.add(step.name)
