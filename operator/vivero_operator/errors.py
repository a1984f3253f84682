"""The operator's own errors; those of systems it talks to are in vivero_core.errors."""

from vivero_core.errors import BackendRefusedError, BackendUnavailableError, ViveroError


class OperatorError(ViveroError):
    """Root of what only the operator raises."""


class LeadershipLostError(OperatorError):
    """Another replica may be leading now, or no one can be asked who does: stop at once."""


class FencedError(BackendUnavailableError):
    """A write was stopped: this replica cannot be sure any more that no other one leads."""


class DataPlaneUnavailableError(BackendUnavailableError):
    """A tenant's pod did not answer, or answered with a fault."""


class DataPlaneRefusedError(BackendRefusedError):
    """A tenant's pod answered that it will not do what it was told, and why."""


class DataGoneError(OperatorError):
    """A schema or bucket that held data is not there, or holds nothing any more."""

    def __init__(self, *, empty: bool = False) -> None:
        super().__init__("empty" if empty else "gone")
        self.empty = empty
