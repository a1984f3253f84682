"""The operator's own errors; those of systems it talks to are in vivero_core.errors."""

from vivero_core.errors import BackendUnavailableError, ViveroError


class OperatorError(ViveroError):
    """Root of what only the operator raises."""


class LeadershipLostError(OperatorError):
    """Another replica may be leading now, or nobody can be asked who does: stop at once."""


class FencedError(BackendUnavailableError):
    """A write was stopped: this replica cannot be sure any more that no other one leads."""


class DataPlaneUnavailableError(BackendUnavailableError):
    """A tenant's pod did not answer, or answered with a fault."""
