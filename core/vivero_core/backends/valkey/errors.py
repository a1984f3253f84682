"""Translates valkey-py's errors: transient or refused."""

import contextlib
import ssl
from collections.abc import Iterator

import valkey.exceptions

from vivero_core.errors import (
    BackendAuthenticationError,
    BackendError,
    BackendRefusedError,
    BackendUnavailableError,
)

SYSTEM = "valkey"

_TRANSIENT = ("LOADING", "BUSY", "OOM", "MASTERDOWN", "READONLY", "TRYAGAIN", "CLUSTERDOWN", "MISCONF")


@contextlib.contextmanager
def translated(doing: str) -> Iterator[None]:
    """Raise a BackendError, its cause chained, for any error of the client in the block.

    The server's own text stays out of the message: it can quote arguments.
    """
    try:
        yield
    except valkey.exceptions.ValkeyError as error:
        raise _translation(error, doing) from error


def _translation(error: valkey.exceptions.ValkeyError, doing: str) -> BackendError:
    refused = (valkey.exceptions.AuthenticationError, valkey.exceptions.AuthorizationError)
    if isinstance(error, refused):
        return BackendAuthenticationError(SYSTEM, f"{doing}: authentication failed")
    if isinstance(error.__cause__ or error.__context__, ssl.SSLCertVerificationError):
        return BackendRefusedError(SYSTEM, f"{doing}: certificate verification failed")
    passing = (
        valkey.exceptions.ConnectionError,
        valkey.exceptions.TimeoutError,
        valkey.exceptions.BusyLoadingError,
        valkey.exceptions.ReadOnlyError,
        valkey.exceptions.OutOfMemoryError,
    )
    if isinstance(error, passing) or str(error).startswith(_TRANSIENT):
        return BackendUnavailableError(SYSTEM, f"{doing}: no response ({type(error).__name__})")
    return BackendRefusedError(SYSTEM, f"{doing}: {type(error).__name__}")
