"""The instance under test."""

from pathlib import Path
from typing import Any

import pytest
from vivero_dev.instance import Instance, load_instance


@pytest.fixture
def instance(platform: dict[str, Any]) -> Instance:
    found = load_instance(Path(platform["kubeconfig"]).parent.name)
    assert found is not None
    return found
