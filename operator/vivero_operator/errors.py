"""The operator's own errors; those of systems it talks to are in vivero_core.errors."""

from vivero_core.errors import BackendRefusedError, BackendUnavailableError, ViveroError


class OperatorError(ViveroError):
    """Root of what only the operator raises."""


class LeadershipLostError(OperatorError):
    """Another replica may be the leader now, or the API server cannot be reached: stop at once."""


class FencedError(BackendUnavailableError):
    """A write was stopped: this replica cannot be sure any more that it is the only leader."""


class DataPlaneUnavailableError(BackendUnavailableError):
    """A tenant's pod did not respond, or responded with a server error."""


class DataPlaneRefusedError(BackendRefusedError):
    """A tenant's pod rejected the request, with a reason."""


class DataGoneError(OperatorError):
    """A schema or bucket that held data is not there, or holds nothing any more."""

    def __init__(self, *, empty: bool = False) -> None:
        super().__init__("empty" if empty else "gone")
        self.empty = empty
