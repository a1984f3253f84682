"""How long to wait before a retry: exponential back-off with jitter, bounded."""

from typing import Final

FIRST_SECONDS: Final = 0.5
LONGEST_SECONDS: Final = 30.0
FIRST_PROBE_SECONDS: Final = 1.0
"""No shorter, so that a server which is down gets at most one try a second."""
LONGEST_PROBE_SECONDS: Final = 8.0
"""A server that is up again is probed within one and a half of this, and its tenants have the rest of their minute."""
RETURN_SECONDS: Final = 5.0
"""Routine work is retried spread over this time when a server has recovered."""


def delay(failures: int, spread: float) -> float:
    """Seconds after the n-th failure in a row (n ≥ 1); `spread` is a random number in [0, 1)."""
    bound: float = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(failures - 1, 16))
    return bound * (0.5 + spread / 2)


def probe_delay(faults: int, spread: float) -> float:
    """Seconds before a server is probed after its n-th fault in a row (n ≥ 1); `spread` is a random number in [0, 1)."""
    bound: float = min(LONGEST_PROBE_SECONDS, FIRST_PROBE_SECONDS * 2.0 ** min(faults - 1, 16))
    return bound * (1 + spread / 2)
