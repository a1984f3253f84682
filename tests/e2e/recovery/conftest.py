"""A tenant whose data goes back and forth, which no other test looks at; and the backup bucket."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from e2e.cluster import Kubectl
from e2e.owned import OwnedTenant
from types_boto3_s3.client import S3Client
from vivero_dev.backing import object_store
from vivero_dev.backing.accounts import Account
from vivero_dev.localhost import local_client


@pytest.fixture(scope="module")
def owned(kubectl: Kubectl, platform: dict[str, Any]) -> Iterator[OwnedTenant]:
    yield (made := OwnedTenant(kubectl, platform, "backed-up"))
    kubectl("delete", "tenant", made.name, "--timeout=85s")


@pytest.fixture
def workspace(platform: dict[str, Any], owned: OwnedTenant) -> Iterator[httpx.Client]:
    """Its workspace through the ingress; requests take a path, and a connection each: a test that waits keeps none."""
    with local_client(Path(platform["ca"])) as client:
        client.headers["Connection"] = "close"
        client.base_url = httpx.URL(owned.url)
        yield client


@pytest.fixture(scope="session")
def stored(platform: dict[str, Any]) -> S3Client:
    """The backup bucket, as its owner."""
    at = platform["backup"]
    return object_store.client(at["endpoint"], Account(at["access_key"], at["secret_key"]), Path(at["ca"]))
