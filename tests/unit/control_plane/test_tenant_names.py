"""Tenant names from URLs: invalid ones are not used in requests to the API server."""

import pytest
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_core.backends.kube.client import KubeClient, Object
from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import Resource


class Cluster(KubeClient):
    def __init__(self) -> None:
        self.asked: list[str] = []

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> Object:
        del resource, namespace
        self.asked.append(name)
        raise KubeNotFoundError("kubernetes", "GET")


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../plans", "a/b", "A", "é", "\0", "a b", "-a", "a" * 254, "a?watch=1", "a\n"]
)
async def test_an_invalid_tenant_name_is_not_queried(name: str) -> None:
    cluster = Cluster()
    assert await TenantRepository(cluster, "vivero-signups").find(name) is None
    assert cluster.asked == []


@pytest.mark.parametrize("name", ["a", "acme", "trial-x7k2m", "acme.example", "a" * 253])
async def test_a_valid_tenant_name_is_queried(name: str) -> None:
    cluster = Cluster()
    assert await TenantRepository(cluster, "vivero-signups").find(name) is None
    assert cluster.asked == [name]
