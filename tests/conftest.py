"""Fixtures that every level of tests shares."""

import json
import os
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def platform() -> dict[str, Any]:
    """The running platform, as `./vivero status --json` describes it."""
    path = os.environ.get("VIVERO_STATUS")
    if not path:
        pytest.fail("VIVERO_STATUS names no status file: run these tests through ./vivero test")
    status: dict[str, Any] = json.loads(Path(path).read_text())
    return status
