"""Fixtures that every level of tests shares."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import settings

# No deadlines: a loaded machine is slow, and that is no fault of the example.
settings.register_profile("vivero", deadline=None)
settings.load_profile("vivero")
# Its own way with a traceback is to draw every variable of every frame, for seconds.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)


@pytest.fixture(scope="session")
def platform() -> dict[str, Any]:
    """The running platform, as `./vivero status --json` describes it."""
    path = os.environ.get("VIVERO_STATUS")
    if not path:
        pytest.fail("VIVERO_STATUS names no status file: run these tests through ./vivero test")
    status: dict[str, Any] = json.loads(Path(path).read_text())
    return status
