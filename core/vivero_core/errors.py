"""The errors that Vivero's own code raises: one root, and below it what a caller can do about it.

Adapters translate a library's error into one of these at their edge, with
the cause chained. Messages name the system and the object, never a secret:
they end in conditions and events that people read.
"""

from typing import ClassVar


class ViveroError(Exception):
    """Root of every error of this distribution."""


class InvalidNameError(ViveroError, ValueError):
    """A name that no backend may see: it does not have the strict form of its kind."""


class BackendError(ViveroError):
    """A system that tenants live in did not do what was asked.

    Attributes:
        system: which one, as people call it ("mariadb", "s3", "valkey", "kubernetes").
        retryable: whether the same call can succeed later without anyone changing anything.
    """

    retryable: ClassVar[bool] = False

    def __init__(self, system: str, message: str) -> None:
        super().__init__(f"{system}: {message}")
        self.system = system


class BackendUnavailableError(BackendError):
    """Not reachable, too busy or timed out: retry later."""

    retryable = True


class BackendUnfinishedError(BackendError):
    """It responds, but this one piece of work is not done: long, locked, or its login's connections are all in use.

    A retry continues where this call stopped. It says nothing about other
    tenants' work on the same server, so it is never counted as an outage.
    """

    retryable = True


class BackendRefusedError(BackendError):
    """It rejected the request: wrong credentials, missing rights, an impossible request."""


class BackendMisconfiguredError(BackendRefusedError):
    """What a person wrote about the system cannot be used: a missing key, a wrong form; the message names where."""


class BackendAuthenticationError(BackendRefusedError):
    """The credentials were not accepted."""


class BackendNotFoundError(BackendRefusedError):
    """The object that was named is not there."""


class BackendKeyGoneError(BackendRefusedError):
    """A server that makes access keys itself does not have this one, or with another secret: only a new one helps."""


class BackendProofError(BackendRefusedError):
    """The tenant's own credentials work, yet what was written did not come back."""
