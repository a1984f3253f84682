"""What the program does when it may not lead any more."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from vivero_operator import main as program
from vivero_operator.errors import LeadershipLostError
from vivero_operator.settings import Settings


def test_it_starts_over_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kubelet would wait longer from time to time, up to five minutes, whether the API server is back or not."""
    monkeypatch.setenv("VIVERO_DATA_PLANE_IMAGE", "image:1")
    runs: list[Settings] = []

    async def serve(settings: Settings, on_stopping: Callable[[], None]) -> None:
        assert on_stopping is not None
        runs.append(settings)
        if len(runs) < 3:
            raise LeadershipLostError("the Lease could not be renewed in time")

    monkeypatch.setattr(program, "serve", serve)
    program.main()
    assert len(runs) == 3


def test_a_bug_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIVERO_DATA_PLANE_IMAGE", "image:1")

    async def serve(_: Settings, on_stopping: Callable[[], None]) -> None:
        assert on_stopping is not None
        raise ZeroDivisionError("bug")

    monkeypatch.setattr(program, "serve", serve)
    with pytest.raises(ZeroDivisionError):
        program.main()


HANGING = """
import asyncio
from vivero_operator import main as program

async def serve(settings, on_stopping):
    on_stopping()
    await asyncio.Event().wait()

program.STOP_SECONDS = 0.5
program.serve = serve
program.main()
"""


def test_one_that_does_not_come_to_its_end_says_where_it_waits_and_exits() -> None:
    """A handler that swallows its cancellation, say: nobody would lead until kubelet's probe notices."""
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "VIVERO_DATA_PLANE_IMAGE": "image:1"}
    done = subprocess.run(  # noqa: S603  our own words
        [sys.executable, "-c", HANGING], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "Timeout" in done.stderr
    assert "in main" in done.stderr


async def test_who_could_not_become_the_leader_does_no_work() -> None:
    class Unreached:
        identity = "first"

        async def acquire(self) -> None:
            raise LeadershipLostError("the API server does not respond")

    # Whatever else it touched would not be there.
    make: Any = program.Parts
    parts = make(*[None] * 5, election=Unreached(), services=None, background={})
    with pytest.raises(LeadershipLostError, match="does not respond"):
        await asyncio.wait_for(program._lead(parts, asyncio.Event()), 10)  # noqa: SLF001  the rest of it is a whole cluster
