"""How an operation ends that does not succeed."""

from vivero_core.errors import ViveroError


class RefusedError(ViveroError):
    """No further attempt can help; the sentence says what is wrong."""


class StepFailedError(ViveroError):
    """A step failed, and another attempt may succeed."""


class DamagedError(StepFailedError):
    """What is stored is not what was written."""
