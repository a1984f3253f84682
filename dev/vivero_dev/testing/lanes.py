"""Runs parts of the tests beside each other, and says how far each is."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from vivero_dev.steps import Display, Say
from vivero_dev.testing.parts import Lanes, Part
from vivero_dev.testing.report import Result, timed

Run = Callable[[Part, Say], str]
"""Runs a part to its end and returns its outcome in a few words; raises DevError when a test failed."""


def run_lanes(lanes: Lanes, run: Run, display: Display) -> list[Result]:
    """All parts, in the order in which they are written; one that fails holds up none. An interrupted run begins no more."""
    stopped = threading.Event()
    with ThreadPoolExecutor(len(lanes)) as pool:
        try:
            results = pool.map(
                lambda lane: [_run_part(part, run, display) for part in lane if not stopped.is_set()], lanes
            )
            return [result for lane in results for result in lane]
        finally:
            stopped.set()


def _run_part(part: Part, run: Run, display: Display) -> Result:
    display.started(part.name)

    def say(text: str, share: float = 0.0) -> None:  # noqa: ARG001  a part's share is not known
        display.said(part.name, text)

    result, outcome = timed(part.name, lambda: run(part, say))
    if result.problem:
        display.failed(part.name, result.seconds)
    else:
        display.finished(part.name, outcome, result.seconds)
    return result
