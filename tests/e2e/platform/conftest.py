"""The demo tenant's workspace."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from vivero_dev.localhost import local_client


@pytest.fixture(scope="session")
def workspace(platform: dict[str, Any]) -> Iterator[httpx.Client]:
    """The demo tenant's workspace through the ingress; requests take a path.

    A connection for each: the ingress ends old ones, and a test that waits would meet a closed one.
    """
    with local_client(Path(platform["ca"])) as client:
        client.headers["Connection"] = "close"
        client.base_url = httpx.URL(platform["demo_tenant"]["url"])
        yield client
