"""Waiting for what a platform brings about by itself."""

import time
from collections.abc import Callable


def wait_until(holds: Callable[[], bool], seconds: float, what: str) -> float:
    """Seconds it took; fails when it does not hold in time."""
    begin = time.monotonic()
    while not holds():
        assert time.monotonic() - begin < seconds, f"{what} not within {seconds} s"
        time.sleep(0.25)
    return time.monotonic() - begin
