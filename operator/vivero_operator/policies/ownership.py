"""Which of two Tenants owns a slug or retained data: the one that had it first."""

from collections.abc import Iterable
from datetime import UTC, datetime

from vivero_core.model.constants import Reason
from vivero_core.model.tenant import Tenant

from vivero_operator.escrow.record import Record

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


def refused_adoption(tenant: Tenant, others: Iterable[Tenant], record: Record) -> Refusal | None:
    """Data without a Tenant goes to the one that has it already, else to the first that asks for it.

    `others`: all Tenants with this id. `record`: what is kept of the data.
    """
    rivals = [one for one in others if one.metadata.uid != tenant.metadata.uid and one.id == tenant.id]
    holder = next((one for one in rivals if one.metadata.uid == record.owner_uid), None)
    if record.owner_uid != tenant.metadata.uid:
        holder = holder or next(iter(_older(tenant, rivals)), None)
        if holder is not None:
            return Reason.ALREADY_ADOPTED, f"The data of {tenant.id} is in use by Tenant {holder.name}"
    wished, there = tenant.spec.database_server, record.database_server
    if wished is not None and there is not None and wished != there:
        return Reason.ALREADY_ADOPTED, f"The data of {tenant.id} is on DatabaseServer {there}, not on {wished}"
    return None
