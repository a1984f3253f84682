"""Phase of a tenant's life cycle, as far as that decides what a pass does."""

from datetime import datetime, timedelta
from enum import StrEnum

from vivero_core.model.conditions import is_true
from vivero_core.model.constants import ConditionType
from vivero_core.model.tenant import Tenant


class Phase(StrEnum):
    """What is to be done for a tenant that is to stay."""

    STANDBY = "standby"
    """A spare: to be complete and proven, without a route."""
    CLAIMED = "claimed"
    """A proven spare that someone has just got: only route and owner are missing."""
    ACTIVE = "active"
    """In service."""
    SUSPENDED = "suspended"
    """Kept, without a route and without pods."""


def phase(tenant: Tenant, now: datetime, proof_lasts: timedelta) -> Phase:
    spec, status = tenant.spec, tenant.status
    if spec.suspended is not None:
        return Phase.SUSPENDED
    if tenant.is_spare:
        return Phase.STANDBY
    # Hosts of the customer's own may be someone else's: that takes a whole pass.
    if spec.claimed_at is not None and status.url is None and not spec.hosts and proven(tenant, now, proof_lasts):
        return Phase.CLAIMED
    return Phase.ACTIVE


def settled(tenant: Tenant) -> bool:
    """Whether its status says that the desired state is reached."""
    meta, status = tenant.metadata, tenant.status
    there = is_true(status.conditions, ConditionType.READY) or is_true(status.conditions, ConditionType.SUSPENDED)
    heard = status.observed_generation == meta.generation and meta.deletion_timestamp is None
    # A claimed spare is Ready from before; its address comes with route and owner.
    return there and heard and (tenant.is_spare or status.url is not None)


def awaited(tenant: Tenant) -> bool:
    """Whether someone waits for it: a signup that never was ready, or a spec that has just changed."""
    if tenant.is_spare or tenant.metadata.deletion_timestamp is not None:
        return False
    status = tenant.status
    return status.proven_at is None or status.url is None or status.observed_generation != tenant.metadata.generation


def proven(tenant: Tenant, now: datetime, proof_lasts: timedelta) -> bool:
    """Whether it worked when last looked at, and that is not too long ago."""
    status = tenant.status
    ready = is_true(status.conditions, ConditionType.READY)
    return ready and status.proven_at is not None and now - status.proven_at < proof_lasts
