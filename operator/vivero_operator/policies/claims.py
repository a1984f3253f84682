"""Who a slug, a host or retained data belongs to when two Tenants want it: the one that had it first."""

from collections.abc import Iterable
from datetime import UTC, datetime

from vivero_core.model.constants import Reason
from vivero_core.model.tenant import Tenant

Refusal = tuple[Reason, str]

_LATEST = datetime.max.replace(tzinfo=UTC)


def _seniority(tenant: Tenant) -> tuple[datetime, bool, str]:
    """Who came first; of two from the same second the one that already has something, then by uid.

    A spare may be older than the customer: it counts from its claim.
    """
    meta = tenant.metadata
    return (tenant.spec.claimed_at or meta.creation_timestamp or _LATEST, tenant.status.url is None, meta.uid)


def _older(tenant: Tenant, others: Iterable[Tenant]) -> list[Tenant]:
    mine = _seniority(tenant)
    return [other for other in others if other.metadata.uid != tenant.metadata.uid and _seniority(other) < mine]


def refused_slug(tenant: Tenant, others: Iterable[Tenant]) -> Refusal | None:
    slug = tenant.spec.slug
    if slug is None:
        return None
    holder = next((other for other in _older(tenant, others) if other.spec.slug == slug), None)
    if holder is None:
        return None
    return Reason.SLUG_TAKEN, f"Slug {slug} belongs to the older Tenant {holder.name}"


def refused_host(tenant: Tenant, others: Iterable[Tenant], base_domain: str) -> Refusal | None:
    """Hosts under the base domain are what slugs are for; any other host belongs to the oldest who names it."""
    for host in tenant.spec.hosts:
        if host == base_domain or host.endswith(f".{base_domain}"):
            return Reason.HOST_NOT_ALLOWED, f"Host {host} lies under {base_domain}, which only slugs are taken from"
    for other in _older(tenant, others):
        shared = sorted(set(tenant.spec.hosts) & set(other.spec.hosts))
        if shared:
            return Reason.HOST_TAKEN, f"Host {shared[0]} belongs to the older Tenant {other.name}"
    return None


def refused_adoption(tenant: Tenant, others: Iterable[Tenant], adopted_by: str | None) -> Refusal | None:
    """Retained data goes to one Tenant at a time. `adopted_by`: uid in the retained record."""
    holder = next((one for one in others if one.metadata.uid != tenant.metadata.uid and one.id == tenant.id), None)
    if holder is not None:
        return Reason.ALREADY_ADOPTED, f"The data of {tenant.id} is still in use by Tenant {holder.name}"
    if adopted_by not in (None, tenant.metadata.uid):
        return Reason.ALREADY_ADOPTED, f"The data of {tenant.id} was adopted by another Tenant"
    return None
