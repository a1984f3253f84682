"""Which other tenant a proof tries a tenant's credentials on, which must fail."""

from collections.abc import Iterable

from vivero_core.model.tenant import Tenant


def neighbour(tenant: Tenant, others: Iterable[Tenant]) -> str | None:
    """The id of the next one in the order of ids, round and round: everybody tries one, and everybody is tried.

    None while there is no one else whose schema, bucket and keys are there.
    """
    ids = [one.id for one in others if one.id != tenant.id and one.status.proven_at is not None]
    return min((one for one in ids if one > tenant.id), default=min(ids, default=None))
