"""Errors of reports."""

from vivero_web.errors import ConflictError, NotFoundError


class ReportNotFoundError(NotFoundError):
    """No report has this number, or it is somebody else's own."""

    def __init__(self) -> None:
        super().__init__("There is no such report.")


class ReportsFullError(ConflictError):
    """A workspace has a bounded number of reports, whatever its plan."""

    def __init__(self, bound: int) -> None:
        super().__init__(f"A workspace has at most {bound} reports.")


class ReportBrokenError(ConflictError):
    """What the report is about was deleted or has changed."""


class ReportTooSlowError(ConflictError):
    """The report takes longer than a report may."""

    def __init__(self) -> None:
        super().__init__("This report takes too long to compute. A filter that leaves fewer records makes it faster.")
