"""What there is one of, and who gets it: a slug, data without a Tenant, a place on a server; and who tries whose credentials."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from vivero_core.model.conditions import Status, find
from vivero_core.model.constants import ConditionType, Reason
from vivero_core.model.database_server import DatabaseServer
from vivero_core.model.tenant import Tenant

from vivero_operator.escrow.record import Record


def choose_server(servers: Iterable[DatabaseServer], tenants: Mapping[str, int]) -> str | None:
    """The uncordoned server with room and the fewest tenants; of equals the first by name; None when there is none.

    An unavailable one is chosen only when all are, and one whose admin login never succeeded is not chosen at all.
    `tenants` counts those already placed, by server name.
    """
    open_ones = (
        (_is_unavailable(server), tenants.get(server.name, 0), server.name)
        for server in servers
        if not never_answered(server)
        and not server.spec.cordoned
        and tenants.get(server.name, 0) < server.spec.capacity
    )
    best = min(open_ones, default=None)
    return best[-1] if best else None


def refused_server(server: DatabaseServer, tenants: Mapping[str, int]) -> tuple[Reason, str] | None:
    """Why this server takes no new tenant although a spec names it; None when it does."""
    if server.spec.cordoned:
        return Reason.SERVER_CORDONED, f"DatabaseServer {server.name} is cordoned and takes no new tenants"
    if tenants.get(server.name, 0) >= server.spec.capacity:
        return Reason.SERVER_FULL, f"DatabaseServer {server.name} is full: its capacity is {server.spec.capacity}"
    return None


def never_answered(server: DatabaseServer) -> bool:
    """Whether nothing can be on it: the admin login was tried and has not succeeded yet."""
    return _is_unavailable(server) and server.status.version is None


def _is_unavailable(server: DatabaseServer) -> bool:
    ready = find(server.status.conditions, ConditionType.READY)
    return ready is not None and ready.status is Status.FALSE


Refusal = tuple[Reason, str]

_LATEST = datetime.max.replace(tzinfo=UTC)


def _seniority(tenant: Tenant) -> tuple[datetime, bool, str]:
    """Sort key for the oldest; in the same second the one that already has resources comes first, then by uid.

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
    """Retained data is adopted by the Tenant that has it already, else by the first that requests it.

    `others`: all Tenants with this id. `record`: what is kept of the data.
    """
    if record.erasing is not None:
        return Reason.ERASING, f"The data of {tenant.id} is being erased"
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


def neighbour(tenant: Tenant, others: Iterable[Tenant]) -> str | None:
    """The id of the next one in the order of ids, round and round: everybody tries one, and everybody is tried.

    None while there is no one else whose schema, bucket and keys are there.
    """
    ids = [one.id for one in others if one.id != tenant.id and one.status.proven_at is not None]
    return min((one for one in ids if one > tenant.id), default=min(ids, default=None))
