from pathlib import Path

import pytest
from vivero_dev.instance import PREFERRED_PORTS, Instance
from vivero_dev.native.layout import Cluster


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    ports = {name: 21000 + number for number, name in enumerate(PREFERRED_PORTS)}
    return Instance("unit", tmp_path / "state", tmp_path / "cache", 3, ports)


@pytest.fixture
def cluster(instance: Instance) -> Cluster:
    return Cluster(instance)
