"""A second API server for charts: the test platform has its own releases, and cluster-wide objects exist but once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.api_server import ApiServer, empty_api_server


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    folder: Path = tmp_path_factory.mktemp("second")
    with empty_api_server(folder) as server:
        yield server
