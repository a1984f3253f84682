"""How long to wait before another try: doubling, bounded, and spread so that a thousand tenants do not come at once."""

from typing import Final

FIRST_SECONDS: Final = 0.5
LONGEST_SECONDS: Final = 30.0


def delay(failures: int, spread: float) -> float:
    """Seconds after the n-th failure in a row (n ≥ 1); `spread` is a random number in [0, 1)."""
    bound: float = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(failures - 1, 16))
    return bound * (0.5 + spread / 2)
