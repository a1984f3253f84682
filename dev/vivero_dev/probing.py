"""Waiting for something to become true, with a deadline and its last excuse in the error."""

import time
from collections.abc import Callable

from vivero_dev.errors import ComponentError

POLL_SECONDS = 0.1


def until(component: str, complaint: Callable[[], str | None], seconds: float) -> None:
    """Ask until there is no complaint; after `seconds` raise ComponentError with the last one."""
    end = time.monotonic() + seconds
    while (said := complaint()) is not None:
        if time.monotonic() > end:
            raise ComponentError(component, f"not ready within {seconds:.0f} s: {said}")
        time.sleep(POLL_SECONDS)
