"""Progress output: a live list on a terminal, one line an event elsewhere."""

import os
import threading
import time
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from vivero_dev.progress import in_words

NAME_WIDTH = 22
PROGRESS_SECONDS = 30.0
"""Between two lines of progress in plain output."""


class PlainDisplay:
    """One line an event, each with the seconds since the start: for CI logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._begin = time.monotonic()
        self._told = self._begin
        self._saying: dict[str, str] = {}
        self._lock = threading.Lock()

    def started(self, step: str) -> None:
        self._line(f"{step}: begins")

    def said(self, step: str, text: str) -> None:
        # Counters change many times a second: each kind is printed once; progress lines show how far they are.
        kind = text.partition(",")[0]
        if self._saying.get(step) != kind:
            self._saying[step] = kind
            self._line(f"{step}: {kind}")

    def progressed(self, share: float, left: float) -> None:
        now = time.monotonic()
        with self._lock:
            due = now - self._told >= PROGRESS_SECONDS
            if due:
                self._told = now
        if due:
            self._line(in_words(share, left))

    def finished(self, step: str, outcome: str, seconds: float) -> None:
        self._line(f"{step}: done in {seconds:.1f} s ({outcome})")

    def failed(self, step: str, seconds: float) -> None:
        self._line(f"{step}: FAILED after {seconds:.1f} s")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to clean up."""

    def _line(self, text: str) -> None:
        with self._lock:
            seconds = time.monotonic() - self._begin
            self._console.print(f"[{seconds:7.1f} s] {text}", markup=False, highlight=False, soft_wrap=True)


class LiveDisplay:
    """Finished steps as lines, below them the running ones and an overall progress bar."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._running = Progress(
            SpinnerColumn(),
            TextColumn("{task.fields[step]:" + str(NAME_WIDTH) + "}", markup=False),
            TextColumn("[dim]{task.description}"),
            TimeElapsedColumn(),
            console=console,
        )
        self._whole = Progress(
            BarColumn(bar_width=None), TextColumn("{task.description}", markup=False), console=console
        )
        self._bar = self._whole.add_task("", total=1.0, visible=False)
        self._live = Live(Group(self._running, self._whole), console=console, transient=True)
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def started(self, step: str) -> None:
        self._tasks[step] = self._running.add_task("", total=None, step=step)

    def said(self, step: str, text: str) -> None:
        self._running.update(self._tasks[step], description=text)

    def progressed(self, share: float, left: float) -> None:
        self._whole.update(self._bar, completed=share, description=in_words(share, left), visible=True)

    def finished(self, step: str, outcome: str, seconds: float) -> None:
        self._close(step, f"[green]✓[/] {step:{NAME_WIDTH}} [dim]{outcome}[/] {seconds:.1f} s")

    def failed(self, step: str, seconds: float) -> None:
        self._close(step, f"[red]✗[/] {step:{NAME_WIDTH}} [red]failed[/] {seconds:.1f} s")

    def _close(self, step: str, line: str) -> None:
        self._running.remove_task(self._tasks.pop(step))
        self._console.print(line, highlight=False)


def make_display(console: Console) -> PlainDisplay | LiveDisplay:
    """Live on a terminal, plain in CI and in pipes."""
    plain = not console.is_terminal or os.environ.get("CI", "").lower() in {"1", "true"}
    return PlainDisplay(console) if plain else LiveDisplay(console)
