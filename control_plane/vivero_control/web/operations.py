"""Presentation of backups and restores: words and colours. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct
from vivero_ui.filters import bytes_, datetime_, duration, number

from vivero_control.domain.backups.schemas import (
    BackupView,
    OperationState,
    RestoreView,
    StepView,
)
from vivero_control.domain.tenants.schemas import ProofResult
from vivero_control.web.presentation import Kind, StatusLabel, StepLine

STATES: Final = {
    OperationState.WAITING: StatusLabel("Waiting", "warning"),
    OperationState.RUNNING: StatusLabel("Under way", "info"),
    OperationState.COMPLETE: StatusLabel("Complete", "success"),
    OperationState.FAILED: StatusLabel("Failed", "error"),
    OperationState.REFUSED: StatusLabel("Refused", "warning"),
    OperationState.PAUSED: StatusLabel("Paused", "neutral"),
}
PROOFS: Final[dict[ProofResult, tuple[str, Kind]]] = {
    "Passed": ("Passed", "success"),
    "Failed": ("Failed", "error"),
    "Refused": ("Not possible", "warning"),
}
_STEPS: Final = {
    "files": "Files",
    "dump": "Database",
    "verify": "Read back and compared",
    "log": "Archived log",
    "database": "Database",
}
"""The operator's words for steps; one that a newer operator has is shown as it is."""
_STEP_STATES: Final = {"waiting": "wait", "running": "now", "done": "done", "failed": "failed"}


class OperationLine(Struct, frozen=True, kw_only=True):
    """A backup or restore with the words for it."""

    view: BackupView | RestoreView
    what: str
    """What it is, as a heading."""
    status: StatusLabel
    detail: str
    """What is to be said beside the state; nothing where all is well."""
    step: str
    """The one that runs."""
    moment: datetime | None
    """Of the data, if it is known, else of the order."""
    made: str
    """By whom."""
    steps: tuple[StepLine, ...]


def line(view: BackupView | RestoreView) -> OperationLine:
    if isinstance(view, BackupView):
        what, moment = "Backup", view.taken_at or view.created_at
        by_schedule, said = view.scheduled, view.state is OperationState.COMPLETE and view.restorable
    else:
        what, moment = _what(view), _moment_of(view)
        by_schedule, said = False, view.state is OperationState.COMPLETE
    steps = tuple(map(_step_line, view.steps))
    return OperationLine(
        view=view,
        what=what,
        status=STATES[view.state],
        # A backup that is complete and holds nothing of its own has more to say.
        detail="" if said else _detail(view),
        step=next((one.name for one in steps if one.state == "now"), ""),
        moment=moment,
        made="By schedule" if by_schedule else "By hand",
        steps=steps,
    )


def lines(views: Sequence[BackupView | RestoreView]) -> list[OperationLine]:
    return [line(view) for view in views]


def backup_option(view: BackupView) -> tuple[str, str]:
    """A line of the select: the moment, who made it and how large it is."""
    moment = datetime_(view.taken_at) if view.taken_at else view.name
    size = f", {bytes_(view.bytes)}" if view.bytes is not None else ""
    return view.name, f"{moment}, {line(view).made.lower()}{size}"


def counted(shown: int, total: int, what: str) -> str:
    """`The newest 50 of 1,204 backups`."""
    every = f"{number(total)} {what if total != 1 else what.removesuffix('s')}"
    return every if shown == total else f"The newest {number(shown)} of {every}"


def _detail(view: BackupView | RestoreView) -> str:
    """Without what the state and the steps say already."""
    if view.message.startswith("Running: ") and view.steps:
        return ""
    return view.message.removeprefix(f"{STATES[view.state].words}: ")


def _what(view: RestoreView) -> str:
    if view.in_place:
        return "Brought back in place"
    return "Shown beside it, read only" if view.as_of else f"Brought back as {view.target}"


def _moment_of(view: RestoreView) -> datetime | None:
    """A backup's is known once it was brought back."""
    asked = None if view.backup else view.created_at
    return view.restored_to or view.time or asked


def _step_line(step: StepView) -> StepLine:
    return StepLine(
        name=_STEPS.get(step.name, step.name.capitalize()),
        state=_STEP_STATES[step.state],
        detail=step.message,
        took=_took(step.started_at, step.finished_at),
    )


def _took(begin: datetime | None, end: datetime | None) -> str:
    """As exact as the cluster is: it keeps whole seconds."""
    if begin is None or end is None:
        return ""
    seconds = int((end - begin).total_seconds())
    return duration(seconds) if seconds >= 1 else "under 1 s"
