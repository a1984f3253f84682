"""All Tenants in memory, by name, slug and host: what lists, progress and host pages read."""

from collections.abc import Iterator

from vivero_core.backends.kube.resources import TENANT
from vivero_core.model.tenant import Tenant

from vivero_control.lib.mirror import Mirror


def slug_key(slug: str) -> str:
    return f"slug:{slug}"


def host_key(host: str) -> str:
    return f"host:{host}"


def _keys(tenant: Tenant) -> Iterator[str]:
    yield slug_key(tenant.spec.slug)
    for host in tenant.spec.hosts:
        yield host_key(host)


class TenantDirectory(Mirror[Tenant]):
    """Every Tenant; `synced` is false until the first list has come."""

    def __init__(self) -> None:
        super().__init__(TENANT, Tenant, _keys)

    def by_slug(self, slug: str) -> Tenant | None:
        return self.find(slug_key(slug))

    def by_host(self, host: str) -> Tenant | None:
        """By one of the customer's own host names."""
        return self.find(host_key(host))

    def has(self, slug: str) -> bool:
        """Whether a Tenant has this slug or this name."""
        return self.by_slug(slug) is not None or self.get(slug) is not None
