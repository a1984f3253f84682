"""Polling until a condition holds, with a deadline and the last problem in the error."""

import time
from collections.abc import Callable

from vivero_dev.errors import ComponentError

POLL_SECONDS = 0.1


def until(component: str, problem: Callable[[], str | None], seconds: float) -> None:
    """Poll until there is no problem; after `seconds` raise ComponentError with the last one."""
    end = time.monotonic() + seconds
    while (said := problem()) is not None:
        if time.monotonic() > end:
            raise ComponentError(component, f"not ready within {seconds:.0f} s: {said}")
        time.sleep(POLL_SECONDS)
