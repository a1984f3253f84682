"""How progress looks: a live list on a terminal, one line an event elsewhere."""

import os
import threading
import time
from typing import Self

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

NAME_WIDTH = 22


class PlainDisplay:
    """One line an event, each with the seconds since the start: for CI logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._begin = time.monotonic()
        self._lock = threading.Lock()

    def started(self, step: str) -> None:
        self._line(f"{step}: begins")

    def said(self, step: str, text: str) -> None:
        self._line(f"{step}: {text}")

    def finished(self, step: str, outcome: str, seconds: float) -> None:
        self._line(f"{step}: done in {seconds:.1f} s ({outcome})")

    def failed(self, step: str, seconds: float) -> None:
        self._line(f"{step}: FAILED after {seconds:.1f} s")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to take down."""

    def _line(self, text: str) -> None:
        with self._lock:
            seconds = time.monotonic() - self._begin
            self._console.print(f"[{seconds:7.1f} s] {text}", markup=False, highlight=False, soft_wrap=True)


class LiveDisplay:
    """Running steps with a spinner at the bottom, finished ones as lines above."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.fields[step]:" + str(NAME_WIDTH) + "}", markup=False),
            TextColumn("[dim]{task.description}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def started(self, step: str) -> None:
        self._tasks[step] = self._progress.add_task("", total=None, step=step)

    def said(self, step: str, text: str) -> None:
        self._progress.update(self._tasks[step], description=text)

    def finished(self, step: str, outcome: str, seconds: float) -> None:
        self._close(step, f"[green]✓[/] {step:{NAME_WIDTH}} [dim]{outcome}[/] {seconds:.1f} s")

    def failed(self, step: str, seconds: float) -> None:
        self._close(step, f"[red]✗[/] {step:{NAME_WIDTH}} [red]failed[/] {seconds:.1f} s")

    def _close(self, step: str, line: str) -> None:
        self._progress.remove_task(self._tasks.pop(step))
        self._progress.console.print(line, highlight=False)


def make_display(console: Console) -> PlainDisplay | LiveDisplay:
    """Live where a person looks at it, plain in CI and in pipes."""
    plain = not console.is_terminal or os.environ.get("CI", "").lower() in {"1", "true"}
    return PlainDisplay(console) if plain else LiveDisplay(console)
