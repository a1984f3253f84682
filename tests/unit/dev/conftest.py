"""An instance whose state and cache lie in the test's own folder."""

from pathlib import Path

import pytest
from vivero_dev.instance import Instance, open_instance


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def instance() -> Instance:
    return open_instance("unit")
